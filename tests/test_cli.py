"""The command line: exit codes, JSON, sentences instead of tracebacks."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from edgekit import tflite_writer
from edgekit.arguments import parser
from edgekit.spelling import size
from edgekit.cli import main
from edgekit.errors import EdgekitError
from tiny_graphs import network, two_inputs


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tflite_writer.write(network()))
    return path


@pytest.fixture
def run(capsys):
    """run(words...) -> (exit code, stdout, stderr)."""
    def call(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err
    return call


COMMANDS = sorted(next(a for a in parser()._actions if a.dest == "command").choices)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_says_what_it_is_for(command, capsys):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert "usage: edgekit" in capsys.readouterr().out


@pytest.mark.parametrize("words", [
    [], ["frobnicate"], ["profile"], ["inspect"], ["generate", "x.tflite"],
    ["inspect", "no/such.tflite"], ["profile", "x.tflite", "--board", "nucleo_l4r5zi", "--max-ram",
                                    "many"],
    ["validate", "no/such.tflite", "--board", "linux_host"], ["build", "no/such/folder"],
    ["compare", "no.json", "no.json"], ["report", "no.json", "-o", "r.html"],
    ["emulate", "no.tflite", "--board", "linux_host", "--input", "x.npy", "-o", "y.npy"],
    ["prune", "no.keras", "-o", "out.keras", "--rate", "0.5"],
    ["quantize", "no.keras", "-o", "out.tflite", "--data", "no.npz"],
])
def test_wrong_usage_is_exit_2_with_a_sentence_and_a_hint(run, words):
    code, out, err = run(*words)
    assert code == 2 and out == ""
    assert err.startswith("error: ") and "hint: " in err


def test_with_json_an_error_is_one_document(run):
    code, out, _ = run("inspect", "no/such.tflite", "--json")
    document = json.loads(out)
    assert document["schema"] == "edgekit.error"
    assert document["exit"] == code == 2 and document["code"] == "bad_model"
    assert document["message"] and document["hint"]


def test_a_board_that_is_not_there_is_answered_with_a_near_one(run, tiny):
    code, _, err = run("profile", tiny, "--board", "nucleo_l4r5")
    assert code == 2 and "nucleo_l4r5zi" in err


@pytest.mark.parametrize("command", ["inspect", "boards", "doctor"])
def test_json_is_one_document_with_the_common_head(run, tiny, command):
    words = [command, tiny] if command == "inspect" else [command]
    code, out, _ = run(*words, "--json")
    document = json.loads(out)
    assert code == 0 and document["schema"] == f"edgekit.{command}"
    assert document.keys() >= {"schema_version", "tool_version", "issues"}


def test_inspect_shows_operators_and_who_takes_the_model(run, tiny):
    code, out, _ = run("inspect", tiny)
    assert code == 0
    assert "DEPTHWISE_CONV_2D" in out and "aot: takes it" in out and "nucleo_l4r5zi" in out


def test_check_of_a_good_model_is_0_and_of_an_unknown_version_2(run, tiny, tmp_path):
    assert run("check", tiny, "--board", "nucleo_l4r5zi", "--runtime", "aot")[0] == 0
    graph = network()
    odd = replace(graph, ops=(*graph.ops[:-1], replace(graph.ops[-1], version=99)))
    path = tmp_path / "odd.tflite"
    path.write_bytes(tflite_writer.write(odd))
    code, out, err = run("check", path, "--board", "nucleo_l4r5zi", "--runtime", "aot")
    assert code == 2 and "SOFTMAX has version 99" in out and "1 problem" in err


def test_emulate_writes_what_the_model_computes(run, tiny, tmp_path):
    from edgekit import reference
    x = np.arange(3 * 288).reshape(3, 12, 12, 2) % 255 - 127
    np.save(tmp_path / "x.npy", x.astype(np.int8))
    code, _, _ = run("emulate", tiny, "--board", "nucleo_l4r5zi", "--engine", "reference",
                     "--input", tmp_path / "x.npy", "-o", tmp_path / "y.npy")
    assert code == 0
    graph = network()
    expected = [reference.run(graph, (row,))[graph.outputs[0]][0] for row in x]
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected)


def test_floats_are_quantized_with_the_models_scale(run, tiny, tmp_path):
    x = np.linspace(-1, 1, 288, dtype=np.float32).reshape(1, 12, 12, 2)
    q = np.clip(np.round(x / np.float32(0.02)) + 5, -128, 127).astype(np.int8)
    for name, array in (("float", x), ("int8", q)):
        np.save(tmp_path / f"{name}.npy", array)
        assert run("emulate", tiny, "--board", "nucleo_l4r5zi", "--engine", "reference", "--input",
                   tmp_path / f"{name}.npy", "-o", tmp_path / f"{name}_out.npy")[0] == 0
    np.testing.assert_array_equal(np.load(tmp_path / "float_out.npy"),
                                  np.load(tmp_path / "int8_out.npy"))


@pytest.mark.parametrize(("array", "words"), [
    (np.zeros((0, 12, 12, 2), np.int8), "no samples"), (np.zeros((2, 5), np.int8), "shape"),
    (np.full((1, 12, 12, 2), np.nan, np.float32), "not finite"),
    (np.zeros((1, 12, 12, 2), np.int32), "int32")])
def test_inputs_that_do_not_suit_are_refused_by_what_is_wrong(run, tiny, tmp_path, array, words):
    np.save(tmp_path / "x.npy", array)
    code, _, err = run("emulate", tiny, "--board", "nucleo_l4r5zi", "--engine", "reference",
                       "--input", tmp_path / "x.npy", "-o", tmp_path / "y.npy")
    assert code == 2 and words in err and not (tmp_path / "y.npy").exists()


def test_several_inputs_and_outputs_go_by_npz(run, tmp_path):
    path = tmp_path / "two.tflite"
    path.write_bytes(tflite_writer.write(two_inputs()))
    np.savez(tmp_path / "x.npz", left=np.ones((4, 6), np.int8), right=np.ones((4, 6), np.int8))
    code, _, _ = run("emulate", path, "--board", "linux_host", "--engine", "reference", "--input",
                     tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    assert code == 0 and np.load(tmp_path / "y.npz")["output_1"].shape == (4, 6)


def test_generate_lists_the_files_it_wrote_and_says_what_aot_saves(run, tiny, tmp_path):
    code, out, _ = run("generate", tiny, "--board", "nucleo_l4r5zi", "-o", tmp_path / "p", "--json")
    document = json.loads(out)
    assert code == 0 and document["aot_saves"]["aot_arena"] < document["aot_saves"]["tflm_arena"]
    written = {p.relative_to(tmp_path / "p").as_posix() for p in (tmp_path / "p").rglob("*")
               if p.is_file()}
    assert written == {f["path"] for f in document["files"]} | {"edgekit.sum"}


def test_a_form_the_board_does_not_have_is_exit_2_with_the_ones_it_has(run, tiny, tmp_path):
    code, _, err = run("generate", tiny, "--board", "nucleo_l4r5zi", "--form", "esp-idf", "-o",
                       tmp_path / "p")
    assert code == 2 and "cmake" in err and not (tmp_path / "p").exists()


@pytest.mark.parametrize("name", ["int", "3d", "edgekit_x", "Name", "../evil"])
def test_a_name_that_c_cannot_have_is_refused(run, tiny, tmp_path, name):
    code, _, err = run("generate", tiny, "--board", "nucleo_l4r5zi", "-o", tmp_path / "p",
                       "--name", name)
    assert code == 2 and "name" in err and not (tmp_path / "p").exists()


def test_compare_fails_on_growth_beyond_the_limit_with_exit_5(run, tmp_path):
    for name, arena in (("a", 1000), ("b", 1020)):
        (tmp_path / f"{name}.json").write_text(json.dumps(
            {"schema": "edgekit.profile", "ram": {"arena": arena}}))
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    assert run("compare", a, b)[0] == 0
    assert run("compare", a, b, "--fail-on", "ram.arena=3%")[0] == 0
    code, out, err = run("compare", a, b, "--fail-on", "ram.arena=1%")
    assert code == 5 and "ram.arena" in out and "1,020" in err
    assert run("compare", b, a, "--fail-on", "ram.arena=1%")[0] == 0
    assert run("compare", a, b, "--fail-on", "ram.areena=1%")[0] == 2


def test_a_star_in_a_rule_of_compare_is_any_one_part_of_a_path(run, tmp_path):
    def write(name, *counts):
        (tmp_path / name).write_text(json.dumps({"schema": "edgekit.profiles", "profiles": [
            {"time": {"instructions": count}} for count in counts]}))
        return tmp_path / name

    before, same = write("a.json", 1000, 2000), write("b.json", 1010, 2000)
    rule = ("--fail-on", "profiles.*.time.instructions=1%")
    assert run("compare", before, same, *rule)[0] == 0
    code, out, _ = run("compare", before, write("c.json", 900, 2021), *rule)
    assert code == 5 and "profiles.1.time.instructions" in out
    code, _, err = run("compare", before, write("d.json", 1000), *rule)  # one is not judged
    assert code == 2 and "profiles.1.time.instructions" in err
    assert run("compare", before, same, "--fail-on", "profiles.*.instructions=1%")[0] == 2


def test_sizes_have_binary_suffixes():
    assert [size(text) for text in ("4096", "64K", "1M", "2KiB")] == [4096, 65536, 2**20, 2048]


def test_ctrl_c_is_exit_130(monkeypatch, run):
    def interrupted():
        raise KeyboardInterrupt
    monkeypatch.setattr("edgekit.diagnosis.doctor", interrupted)
    assert run("doctor")[0] == 130


def test_an_unknown_engine_or_target_names_the_ones_there_are(run, tiny):
    assert run("validate", tiny, "--board", "linux_host", "--target", "moon")[0] == 2


def test_a_missing_program_is_exit_6_and_named(run, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("edgekit.tools.search_path", lambda: str(tmp_path))
    assert run("generate", tiny, "--board", "nucleo_l4r5zi", "--runtime", "aot", "-o",
               tmp_path / "p")[0] == 0
    code, _, err = run("build", tmp_path / "p")
    assert code == 6 and "arm-none-eabi-gcc" in err and "zig" in err


def test_errors_travel_through_pickle():
    import pickle
    error = pickle.loads(pickle.dumps(EdgekitError("a", "b", reasons=("c",))))
    assert (error.message, error.hint, error.reasons) == ("a", "b", ("c",))
    assert sys.version_info >= (3, 11)
