"""Fitting: the smallest rate that meets the budgets, or the nearest miss."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import require_module, require_tool
from edgekit import toolchains
from edgekit.board import load_board
from edgekit.cli import main
from edgekit.data import make
from edgekit.errors import BadData, DoesNotFit, UsageError
from edgekit.search import STEPS, Budgets, Share

BOARD = "mps2_an385"  # its kernels are the portable ones, so that sizes are small


@pytest.fixture(scope="module")
def blobs():
    """Four classes of 8x8 images, each bright in another quarter: learnt in an epoch or two."""
    rng = np.random.default_rng(0)
    y = np.arange(400) % 4
    x = rng.normal(0, 0.3, (400, 8, 8, 1)).astype(np.float32)
    for i, label in enumerate(y):
        row, column = divmod(int(label), 2)
        x[i, 4 * row:4 * row + 4, 4 * column:4 * column + 4] += 1
    return make(x, y, source="blobs")


@pytest.fixture(scope="module")
def trained(blobs):
    for module in ("tensorflow", "unicorn", "capstone", "elftools"):
        require_module(module)
    if not toolchains.available(load_board(BOARD)):
        require_tool("arm-none-eabi-gcc")
    from edgekit.compress.finetune import finetune
    from edgekit.importers.keras import import_keras
    keras = import_keras()
    keras.utils.set_random_seed(1)
    layers = keras.layers
    image = keras.Input((8, 8, 1))
    x = layers.Conv2D(16, 3, activation="relu", name="first")(image)
    x = layers.Conv2D(24, 3, activation="relu", name="second")(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, layers.Dense(4, activation="softmax")(x))
    return finetune(model, blobs, 6, learning_rate=1e-2)[0]


@pytest.mark.slow
def test_the_fitted_model_meets_its_budget_and_the_next_smaller_rate_does_not(trained, blobs):
    from edgekit.fitting import fit
    from edgekit.profiling import over_budget
    budgets = Budgets(max_ram=Share(0.6), max_accuracy_loss=0.1)
    model, result = fit(trained, BOARD, blobs, budgets, name="blobs", epochs=4)
    limit = result["budgets"]["max_ram"]
    assert limit == int(0.6 * result["before"]["ram"]["total"]) >= result["after"]["ram"]["total"]
    assert over_budget(result["after"], max_ram=limit) == []
    assert result["accuracy"]["loss"] <= 0.1 and result["model"]["sha256"] == model.sha256
    tried = {t["rate"]: t["fits"] for t in result["tried"]}
    assert result["bits"] is None and result["misses"] == []
    assert [step["name"] for step in result["steps"]] == ["before", "pruned", "fine-tuned"]
    assert all(one["snr_db"] > 10 for one in result["fidelity"] if one["kind"] == "CONV_2D")
    assert "held_out" in [issue["code"] for issue in result["issues"]]
    assert tried[result["rate"]] and not tried[result["rate"] - 1 / STEPS]
    assert {layer["name"]: layer["after"] < layer["before"] for layer in result["layers"]
            if layer["name"] in ("first", "second")} == {"first": True, "second": True}


def test_a_model_that_fits_as_it_is_is_not_pruned(trained, blobs):
    from edgekit.fitting import fit
    _, result = fit(trained, BOARD, blobs, Budgets(max_flash=10**6), name="blobs")
    assert result["rate"] == 0 and result["accuracy"]["loss"] == 0 and result["layers"] == []


@pytest.mark.slow
def test_a_budget_that_nothing_meets_is_refused_before_any_training(trained, blobs):
    from edgekit.fitting import fit
    with pytest.raises(DoesNotFit, match="still over budget: flash is"):
        fit(trained, BOARD, blobs, Budgets(max_flash=100), name="blobs")


def bytes_alone(model, optimize):
    """A profile of what needs no compiler: weights, packed where there are codebooks."""
    constants = [tensor for tensor in model.graph.tensors if tensor.is_constant]
    sizes = [tensor.array.nbytes if optimize != "size" or tensor.array.ndim < 2 else
             tensor.size * np.ceil(np.log2(len(np.unique(tensor.array)))) / 8
             for tensor in constants]
    return {"flash": {"total": int(sum(sizes))}, "ram": {"total": None}, "issues": [],
            "time": {"latency_s": None, "instructions": None}}


@pytest.mark.slow
def test_the_nearest_miss_is_told_with_its_rate_its_loss_and_what_was_removed(trained, blobs):
    from edgekit.fitting import fit
    budgets = Budgets(max_flash=Share(0.6), max_accuracy_loss=-1.0)
    with pytest.raises(DoesNotFit) as miss:
        fit(trained, BOARD, blobs.first(80), budgets, epochs=1, profile=bytes_alone)
    told = miss.value
    assert "the budgets need " in told.message and "which loses" in told.message
    assert "'second' 24 -> " in told.hint or "no layer was pruned" in told.hint
    assert len(told.reasons) > 1 and "a pruning of 25%: int8 accuracy" in told.reasons[0]
    assert "the unpruned model with 4-bit codebooks: int8 accuracy" in told.reasons[-1]


def test_nothing_to_fit_to_and_data_without_labels_are_refused(trained, blobs):
    from edgekit.fitting import fit
    with pytest.raises(UsageError, match="nothing to fit"):
        fit(trained, BOARD, blobs, Budgets())
    with pytest.raises(BadData, match="no class labels"):
        fit(trained, BOARD, make(blobs.x, source="bare"), Budgets(max_flash=1))


@pytest.mark.slow
def test_the_command_writes_the_model_and_prints_what_it_did(trained, blobs, tmp_path, capsys):
    trained.save(tmp_path / "m.keras")
    np.savez(tmp_path / "d.npz", x=blobs.x, y=blobs.y)
    words = ["fit", tmp_path / "m.keras", "--board", BOARD, "--data", tmp_path / "d.npz",
             "--max-ram", "60%", "--max-accuracy-loss", "1", "--epochs", "1", "-o",
             tmp_path / "small.tflite"]
    assert main([str(word) for word in words]) == 0
    out = capsys.readouterr().out
    assert "second" in out and "int8 accuracy on 80 samples of" in out
    assert main(["inspect", str(tmp_path / "small.tflite")]) == 0
    (tmp_path / "small.tflite").unlink()
    words[words.index("60%")] = "100"
    assert main([str(word) for word in words]) == 1
    assert not (tmp_path / "small.tflite").exists()
