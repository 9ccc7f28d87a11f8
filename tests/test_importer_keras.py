import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from conftest import require_models
from keras_nets import depthwise, keras, predict, seeded, sequential

from edgekit.errors import BadModel, UsageError
from edgekit.importers.keras import load

IMAGE = np.random.default_rng(0).uniform(-1, 1, (2, 6, 6, 3)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_saved_model_comes_back_the_same(tmp_path, suffix):
    model = seeded(sequential)
    path = tmp_path / f"model{suffix}"
    model.save(path)
    np.testing.assert_allclose(predict(load(path), IMAGE), predict(model, IMAGE), rtol=1e-6)


def test_the_public_resnet_of_keras_2_loads():
    keras()
    model = load(require_models() / "pretrainedResnet.h5")
    assert model.count_params() == 78666 and model.inputs[0].shape == (None, 32, 32, 3)


def test_an_h5_with_the_depthwise_groups_of_keras_2_loads(tmp_path):
    model = seeded(depthwise)
    path = tmp_path / "old.h5"
    model.save(path)
    import h5py
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layers = [layer for layer in config["config"]["layers"]
                  if layer["class_name"] == "DepthwiseConv2D"]
        for layer in layers:
            layer["config"]["groups"] = 1
        file.attrs["model_config"] = json.dumps(config)
    assert layers
    before = path.read_bytes()
    image = np.ones((1, 8, 8, 1), np.float32)
    np.testing.assert_allclose(predict(load(path), image), predict(model, image), rtol=1e-6)
    assert path.read_bytes() == before


def refusal(path):
    with pytest.raises(BadModel) as caught:
        load(path)
    assert caught.value.hint and "\n" not in caught.value.message
    return caught.value


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_damaged_file_is_a_bad_model_wherever_it_is_cut(tmp_path, suffix, capfd):
    model = sequential()
    path = tmp_path / f"model{suffix}"
    model.save(path)
    whole = path.read_bytes()
    for part in (0, 1, 100, len(whole) // 3, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:part])
        assert "cannot be loaded" in refusal(path).message
    path.write_bytes(b"\0" * len(whole))
    refusal(path)
    assert capfd.readouterr() == ("", "")


def test_a_keras_file_with_a_wrong_config_is_a_bad_model(tmp_path):
    path = tmp_path / "model.keras"
    sequential().save(path)
    for config in ("{}", "not json", '{"class_name": "Gone", "config": {}}'):
        with zipfile.ZipFile(path) as old:
            parts = {name: old.read(name) for name in old.namelist()}
        with zipfile.ZipFile(tmp_path / "bad.keras", "w") as new:
            for name, content in {**parts, "config.json": config.encode()}.items():
                new.writestr(name, content)
        refusal(tmp_path / "bad.keras")


def test_weights_without_a_model_are_refused_with_what_to_save(tmp_path):
    path = tmp_path / "model.weights.h5"
    sequential().save_weights(path)
    assert "weights only" in refusal(path).message


def test_a_lambda_layer_is_never_run_from_a_file(tmp_path):
    model = keras().Sequential([keras().Input((4,)), keras().layers.Lambda(lambda x: x * 2)])
    for suffix in (".keras", ".h5"):
        model.save(tmp_path / f"model{suffix}")
        assert "Lambda" in refusal(tmp_path / f"model{suffix}").hint


def test_a_file_that_is_not_there_or_not_keras_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there is no file"):
        load(tmp_path / "gone.keras")
    (tmp_path / "model.onnx").write_bytes(b"x")
    assert "is not a Keras file" in refusal(tmp_path / "model.onnx").message


def test_tensorflow_starts_without_a_word_and_only_when_it_is_used():
    keras()
    script = ("import sys, edgekit.importers.keras as k, edgekit.compress.quantize, "
              "edgekit.compress.prune, edgekit.compress.finetune; "
              "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules; "
              "k.import_keras().ops.ones(2)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          cwd=str(__import__("pathlib").Path(__file__).parents[1]), check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
