"""What is wrong with a model file is refused by name, fast, and never with a traceback."""

from __future__ import annotations

import json
import struct
import time

import pytest

import damaged
from conftest import require_tool
from damaged import Parts, changed, code, operator, quantization, set_field, tensor
from edgekit import checks, memory, tflite, tools
from edgekit.codegen import ModelCode
from edgekit.errors import BadModel, UsageError
from edgekit.inspection import inspect
from edgekit.model import Model
from edgekit.runtimes import aot
from edgekit.runtimes.header import checked_name, comment, name_from

VALID = Parts().file()


def shape(*dims: int) -> tuple:
    return ("vector", "i", dims)


def x_quant(scale: float, zero_point: int = 0) -> bytes:
    return set_field("tensors", 0, 4, quantization((scale,), (zero_point,)))


def add_tensor_and_operator(parts: Parts, table: dict, op: dict, number: int | None = None) -> None:
    parts.tensors.append(table)
    parts.operators.append(op)
    if number is not None:
        parts.codes.append(code(number))


def two_writers(parts: Parts) -> None:
    parts.operators.append(operator(0, (0, 1, 2), (3,)))


def a_cycle(parts: Parts) -> None:
    add_tensor_and_operator(parts, tensor("loop", (1, 4), quant=quantization()),
                            operator(0, (3, 1, 2), (4,)))
    parts.operators[0][1] = ("vector", "i", (4, 1, 2))


def softmax_of_nan(parts: Parts) -> None:
    beta = {0: ("scalar", "f", float("nan"))}
    add_tensor_and_operator(parts, tensor("p", (1, 2), quant=quantization()),
                            operator(1, (3,), (4,), (9, beta)), damaged.SOFTMAX)


def shared_vector(count: int) -> bytes:
    """A file whose `count` tensors all have one buffer of a megabyte behind the flatbuffer."""
    parts = Parts()
    parts.buffers = [{1: ("scalar", "Q", 4096), 2: ("scalar", "Q", 1 << 20)} for _ in range(count)]
    return parts.file().ljust(4096, b"\0") + bytes(1 << 20)


def word(data: bytes, position: int, value: int) -> bytes:
    return data[:position] + struct.pack("<I", value & 0xFFFFFFFF) + data[position + 4:]


ROOT = struct.unpack_from("<I", VALID, 0)[0]
VTABLE = ROOT - struct.unpack_from("<i", VALID, ROOT)[0]

# (what is wrong, the file, what a reason says)
READER = [
    ("1 empty", b"", "is empty"),
    ("2 no identifier", VALID[:4] + b"TFL2" + VALID[8:], "no TFL3 identifier"),
    ("2 shorter than an identifier", b"abc", "no TFL3 identifier"),
    ("3 cut in half", VALID[:len(VALID) // 2], "outside itself"),
    ("4 root outside", word(VALID, 0, 2**31), "outside itself"),
    ("4 vtable outside", word(VALID, ROOT, -2**30), "outside itself"),
    ("4 vtable too small", VALID[:VTABLE] + b"\2\0" + VALID[VTABLE + 2:], "broken vtable"),
    ("4 vtable of odd size", VALID[:VTABLE] + b"\7\0" + VALID[VTABLE + 2:], "broken vtable"),
    ("5 vector longer than the file",
     word(VALID, VALID.index(struct.pack("<I2i", 2, 1, 4)), 2**32 - 1), "past the end of the file"),
    ("6 one buffer many times", shared_vector(9), "over and over"),
    ("6 many tables", changed(lambda p: p.buffers.extend([{}] * 5_000)),
     "5003 buffers, at most 5000"),
    ("7 schema version", changed(lambda p: setattr(p, "version", 2)), "schema version 2"),
    ("8 zero dimension", set_field("tensors", 0, 0, shape(1, 0)), "'x' has dimension 0"),
    ("8 negative dimension", set_field("tensors", 0, 0, shape(1, -4)), "'x' has dimension -4"),
    ("9 huge dimension", set_field("tensors", 0, 0, shape(1, 2**31 - 1)), "'x' with shape"),
    ("9 product of dimensions", set_field("tensors", 0, 0, shape(1, 65536, 65536, 65536)),
     "is too large: 281,474,976,710,656 elements"),
    ("10 rank 7", set_field("tensors", 0, 0, shape(*[1] * 7)), "'x' has rank 7, at most 6"),
    ("11 dynamic dimension", set_field("tensors", 0, 0, shape(1, -1)), "'x' has dimension -1"),
    ("11 dynamic dimension of the signature", set_field("tensors", 0, 7, shape(-1, -1)),
     "'x' has a dynamic dimension that is not the batch: [-1, -1]"),
    ("12 batch", set_field("tensors", 0, 0, shape(2, 4)), "input 'x' has batch 2"),
    ("13 scale 0", x_quant(0.0), "'x' has scale 0.0"),
    ("13 scale below 0", x_quant(-0.5), "'x' has scale -0.5"),
    ("13 scale NaN", x_quant(float("nan")), "'x' has scale nan"),
    ("13 scale inf", x_quant(float("inf")), "'x' has scale inf"),
    ("13 scale denormal", x_quant(1e-40), "'x' has scale 9.99"),
    ("14 zero point", x_quant(0.5, 128), "'x' has a zero point outside -128..127"),
    ("14 zero point of 64 bits", x_quant(0.5, 2**40), "'x' has a zero point outside -128..127"),
    ("15 channel count", set_field("tensors", 1, 4, quantization((0.1,) * 3, (0,) * 3)),
     "'weights' has 3 scales on axis 0 of shape [2, 4]"),
    ("15 channel axis", set_field("tensors", 1, 4, quantization((0.1,) * 2, (0,) * 2, axis=9)),
     "'weights' has 2 scales on axis 9"),
    ("15 zero points", set_field("tensors", 1, 4, quantization((0.1,) * 2, (0,) * 3)),
     "2 scales and 3 zero points"),
    ("17 input index", changed(lambda p: setattr(p, "inputs", (4,))), "inputs name tensor 4 of 4"),
    ("17 operand index", set_field("operators", 0, 1, shape(0, 1, 9)),
     "operator 0 FULLY_CONNECTED reads a tensor outside 0..3"),
    ("17 result index", set_field("operators", 0, 2, shape(-7)), "writes a tensor outside 0..3"),
    ("17 operator code", set_field("operators", 0, 0, ("scalar", "I", 5)),
     "operator 0 has code 5 of 1"),
    ("18 no result", set_field("operators", 0, 2, shape(-1)), "writes a tensor outside 0..3"),
    ("18 -2", set_field("operators", 0, 1, shape(0, 1, -2)), "reads a tensor outside"),
    ("19 output index -1", changed(lambda p: setattr(p, "outputs", (-1,))),
     "outputs name tensor -1 of 4"),
    ("20 buffer index", set_field("tensors", 1, 2, ("scalar", "I", 77)),
     "'weights' uses buffer 77 of 3"),
    ("21 buffer size", set_field("tensors", 1, 0, shape(2, 5)),
     "'weights' has 8 bytes of data, its shape [2, 5] needs 10"),
    ("22 external buffer behind the end",
     set_field("buffers", 1, 1, ("scalar", "Q", 10**6)), "buffer 1 points outside the file"),
    ("22 external buffer wraps", changed(lambda p: p.buffers.__setitem__(
        1, {1: ("scalar", "Q", 2**64 - 4), 2: ("scalar", "Q", 12)})), "points outside the file"),
    ("23 cycle", changed(a_cycle), "operator 0 FULLY_CONNECTED reads 'loop' before it is written"),
    ("24 two writers", changed(two_writers), "operator 1 FULLY_CONNECTED writes 'y'"),
    ("24 a constant written", set_field("operators", 0, 2, shape(1)), "writes 'weights'"),
    ("24 an input written", set_field("operators", 0, 2, shape(0)), "writes 'x'"),
    ("24 an input that is constant", changed(lambda p: setattr(p, "inputs", (0, 1))),
     "input 'weights' is a constant"),
    ("24 an output that nothing writes", changed(lambda p: p.tensors.append(tensor("lost", (1,)))
                                                 or setattr(p, "outputs", (4,))),
     "output 'lost' is never written"),
    ("25 two subgraphs", changed(lambda p: p.more_subgraphs.append({})),
     "2 subgraphs and CALL_ONCE names []"),
    ("25 no inputs", changed(lambda p: setattr(p, "inputs", ())), "inputs are empty"),
    ("25 no outputs", changed(lambda p: setattr(p, "outputs", ())), "outputs are empty"),
    ("25 one input twice", changed(lambda p: setattr(p, "inputs", (0, 0))), "name a tensor twice"),
    ("25 no operators", changed(lambda p: setattr(p, "operators", [])), "no operators"),
    ("30 sparse tensor", set_field("tensors", 1, 6, ("table", {})), "'weights' is sparse"),
    ("a type there is not", set_field("tensors", 0, 1, ("scalar", "b", 99)), "'x' has type 99"),
    ("a type of 4 bits", set_field("tensors", 0, 1, ("scalar", "b", 17)), "'x' has type int4"),
    ("options of another operator", changed(lambda p: p.operators.__setitem__(
        0, operator(0, (0, 1, 2), (3,), (1, {})))), "options of another operator (type 1)"),
    ("an option that is no number", changed(softmax_of_nan), "operator 1 SOFTMAX has beta nan"),
    ("a name without end", changed(lambda p: p.tensors[0].__setitem__(3, ("string", "n" * 70_000))),
     "has a name of 70000 characters"),
]

# What the reader takes, and the aot runtime cannot compute.
CHECKS = [
    ("16 no quantization", changed(lambda p: p.tensors[0].pop(4)),
     "operator 0 FULLY_CONNECTED: the first input and the output must be int8, quantized per "
     "tensor ('x' has no single scale)"),
    ("18 a required input left out", set_field("operators", 0, 1, shape(-1, 1, 2)),
     "operator 0 FULLY_CONNECTED input 0 is left out"),
    ("18 too few inputs", set_field("operators", 0, 1, shape(0)), "takes 2 to 3 inputs"),
    ("18 too many inputs", set_field("operators", 0, 1, shape(0, 1, 2, 2)), "the file gives 4"),
    ("26 float operator", changed(lambda p: [t.__setitem__(1, ("scalar", "b", 0))
                                             for t in (p.tensors[0], p.tensors[3])]),
     "'x' is float32"),
    ("27 unsupported operator", changed(lambda p: p.codes.__setitem__(0, code(damaged.L2_NORMALIZATION))),
     "operator 0 L2_NORMALIZATION version 1 is not supported"),
    ("27 unknown operator", changed(lambda p: p.codes.__setitem__(0, code(9999))),
     "operator 0 UNKNOWN_9999 version 1 is not supported"),
    ("28 operator version", changed(lambda p: p.codes.__setitem__(0, code(9, version=99))),
     "has version 99, supported are 1 to 12"),
    ("29 custom operator", changed(lambda p: p.codes.__setitem__(
        0, code(damaged.CUSTOM, custom="Evil\n\x1b[2J"))), r"CUSTOM:Evil\n\x1b[2J version 1"),
    ("a variable", changed(lambda p: p.tensors[1].update(
        {2: ("scalar", "I", 0), 5: ("scalar", "?", True)})), "reads the variable 'weights'"),
    ("an output that is a constant", changed(lambda p: setattr(p, "outputs", (3, 1))),
     "output 'weights' is a constant"),
    ("an output of several scales", set_field("tensors", 3, 4, quantization(
        (0.1, 0.2), (0, 0), axis=1)), "output 'y' has 2 scales"),
]


def refusal(data: bytes, compiled: bool = False) -> BadModel:
    """The error that a file gets, in under a second."""
    start = time.process_time()
    with pytest.raises(BadModel) as caught:
        graph = tflite.read(data)
        if compiled:
            checks.require_supported(graph)
    assert time.process_time() - start < 1
    return caught.value


def test_the_model_that_the_others_differ_from_is_valid():
    assert checks.unsupported(tflite.read(VALID)) == []


@pytest.mark.parametrize("data, says", [case[1:] for case in READER], ids=[c[0] for c in READER])
def test_a_bad_file_is_refused_by_name(data, says):
    error = refusal(data)
    assert error.exit == 2 and error.hint
    assert any(says in text for text in (error.message, *error.reasons)), error.reasons


@pytest.mark.parametrize("data, says", [case[1:] for case in CHECKS], ids=[c[0] for c in CHECKS])
def test_what_no_kernel_computes_is_refused_by_name(data, says):
    tflite.read(data)
    error = refusal(data, compiled=True)
    assert error.exit == 2 and error.hint
    assert any(says in reason for reason in error.reasons), error.reasons


@pytest.mark.parametrize("data", [case[1] for case in CHECKS], ids=[c[0] for c in CHECKS])
def test_what_no_kernel_computes_can_be_looked_at(data):
    document = inspect(Model("model", data, tflite.read(data)))
    assert not document["runtimes"]["aot"]["ok"]
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_half_a_megabyte_of_tables_is_read_in_a_second():
    def crowded(parts: Parts) -> None:
        parts.tensors = [tensor(f"{i}", (1, 4), quant=quantization()) for i in range(4_900)]
        parts.buffers = [{}] * 4_900
        parts.operators = [operator(0, (i, i, i), (i + 1,)) for i in range(4_898)]
        parts.outputs = (0,)

    data = changed(crowded)
    assert len(data) > 500_000
    start = time.process_time()
    tflite.read(data)
    assert time.process_time() - start < 1


def test_every_truncation_of_the_model_is_refused_or_lacks_only_padding():
    whole = tflite.read(VALID)
    for length in range(len(VALID)):
        try:
            assert tflite.read(VALID[:length]) == whole
            assert not VALID[length:].strip(b"\0")
        except BadModel as error:
            assert error.message


def test_all_that_is_wrong_is_said_at_once():
    def break_three(parts: Parts) -> None:
        parts.tensors[0][0] = shape(1, 0)
        parts.tensors[1][6] = ("table", {})
        parts.tensors[3][4] = quantization((0.0,), (0,))

    error = refusal(changed(break_three))
    assert len(error.reasons) == 3
    assert error.message.endswith("(and 2 more)")


def test_all_unsupported_operators_are_listed_at_once_with_their_versions():
    def three(parts: Parts) -> None:
        add_tensor_and_operator(parts, tensor("a", (1, 2), quant=quantization()),
                                operator(1, (3,), (4,)), damaged.L2_NORMALIZATION)
        add_tensor_and_operator(parts, tensor("b", (1, 2), quant=quantization()),
                                operator(2, (4,), (5,)), damaged.FLOOR)

    error = refusal(changed(three), compiled=True)
    assert error.reasons == ("operator 1 L2_NORMALIZATION version 1 is not supported",
                             "operator 2 FLOOR version 1 is not supported")


def test_a_dynamic_batch_is_one():
    def open_batch(parts: Parts) -> None:
        parts.tensors[0][0] = shape(-1, 4)
        parts.tensors[0][7] = shape(-1, 4)

    assert tflite.read(changed(open_batch)).tensors[0].shape == (1, 4)


def test_a_uint8_output_is_read():
    graph = tflite.read(changed(lambda p: p.tensors[3].update(
        {1: ("scalar", "b", 3), 4: quantization((1 / 256,), (0,))})))
    assert graph.tensors[3].dtype.value == "uint8"


def with_initialiser(parts: Parts, index: int = 1) -> None:
    """CALL_ONCE in front, and the subgraph that it runs: one that sets a variable's handle."""
    parts.codes.append(code(damaged.CALL_ONCE))
    parts.operators.insert(0, operator(1, (), (), (103, {0: ("scalar", "i", index)})))
    parts.more_subgraphs.append({0: ("tables", [tensor("handle", (), dtype=13)])})


def test_an_initialiser_that_call_once_runs_is_read_and_not_compiled():
    data = changed(with_initialiser)
    assert [op.kind for op in tflite.read(data).ops] == ["CALL_ONCE", "FULLY_CONNECTED"]
    assert refusal(data, compiled=True).reasons == (
        "operator 0 CALL_ONCE version 1 is not supported",)


def test_an_initialiser_is_checked_too():
    def damaged_one(parts: Parts) -> None:
        with_initialiser(parts)
        parts.more_subgraphs[0][3] = ("tables", [operator(0, (5,), (0,))])

    assert refusal(changed(damaged_one)).reasons == (
        "subgraph 1: operator 0 FULLY_CONNECTED reads a tensor outside 0..0",)


def test_call_once_of_a_subgraph_that_is_not_there_is_refused():
    assert "CALL_ONCE names [7]" in refusal(changed(lambda p: with_initialiser(p, 7))).message


HOSTILE = ["*/ int main(void) { return 1; } /*", "{{ 7 * 7 }}{% raw %}", "../../etc/passwd",
           "größe µ 模型 \u202e\ufeff", "two\nlines\r\n#error", "??/\n??=error", "back\\\nslash \\",
           "int", "while", '"; system("x"); "', "\x1b[2J\x00nul", "%s%n", "//", "/*", "a" * 5000,
           ""]


def renamed(names: list[str]) -> bytes:
    return changed(lambda p: [t.__setitem__(3, ("string", name))
                              for t, name in zip(p.tensors, names)])


def generated(names: list[str]) -> ModelCode:
    graph = tflite.read(renamed(names), "model")
    return aot.generate(graph, memory.plan(checks.require_supported(graph)), "model", "0" * 64, "b")


def outside_comments(source: bytes) -> str:
    return "".join(part.split("*/", 1)[-1] for part in source.decode("ascii").split("/*"))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_give_c_that_compiles(name, tmp_path):
    require_tool("gcc")
    code = generated([name] * 4)
    code.files.write(tmp_path)
    result = tools.run(["gcc", "-std=c11", "-trigraphs", "-Wall", "-Wextra", "-Wconversion",
                        "-Wshadow", "-pedantic", "-Werror", "-fsyntax-only", "-I.", *code.sources],
                       cwd=tmp_path)
    assert result.returncode == 0, result.stderr.decode()
    plain = generated(["plain"] * 4)
    for path in ("model.c", "model.h"):
        assert outside_comments(code.files[path]) == outside_comments(plain.files[path])
    assert sorted(path for path, _ in code.files.files if "kernels/" not in path) == [
        "model.c", "model.h", "model.map.json"]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_name_in_a_comment_cannot_end_it(name):
    text = comment(name)
    assert text.isascii() and text.isprintable() and len(text) <= 60
    assert not set(text) & set("*/\\?{}%#\"")


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_message_with_a_hostile_name_is_one_short_line(name):
    def break_x(parts: Parts) -> None:
        parts.tensors[0][3] = ("string", name)
        parts.tensors[0].pop(4)

    message = refusal(changed(break_x), compiled=True).message
    assert message.isprintable() and len(message) < 400


@pytest.mark.parametrize("stem", HOSTILE + ["con", "stdint", "board", "edgekit_types", "COM1",
                                            "1st", "edgekit" * 20])
def test_a_file_of_any_name_gives_a_name_for_c(stem):
    assert checked_name(name_from(stem))


@pytest.mark.parametrize("name", ["", "int", "stdint", "con", "lpt1", "edgekit_add", "A", "a-b",
                                  "a\n", "a" * 49])
def test_a_name_that_c_or_a_system_has_taken_is_refused(name):
    with pytest.raises(UsageError, match="cannot be a model's name"):
        checked_name(name)
