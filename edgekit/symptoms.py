"""What is known to go wrong with a model on a device, recognised before code is generated.

Each function looks for one cause and says it with its fix; `blocks` are the runtimes that cannot
run the model because of it, none where it runs but costs more than it has to.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgekit import tflite_writer
from edgekit.errors import BadModel
from edgekit.graph import DType, Graph, Op
from edgekit.passes.integer_edges import float_inputs, float_outputs
from edgekit.passes.slim import slim
from edgekit.passes.static_shape import computed_shapes

QUANTIZE = ("edgekit quantize MODEL.keras --data D, or the converter's full integer quantization "
            "with a representative dataset")
_LOOPS = ("WHILE", "IF", "TENSORLISTRESERVE", "UNIDIRECTIONAL_SEQUENCE_RNN")
_INTEGERS = (DType.INT8, DType.UINT8, DType.INT16)


@dataclass(frozen=True)
class Symptom:
    """One cause: `kind` is its name in documents; `mends` says whether check --fix does."""

    kind: str
    cause: str
    fix: str
    blocks: tuple[str, ...] = ()
    mends: bool = False


def symptoms(graph: Graph, size: int) -> list[Symptom]:
    """Everything recognised in a graph that came from a file of `size` bytes."""
    found = [look(graph) for look in (_float_model, _hybrid, _weight_only, _unsigned,
                                      _computed_shape, _loop, _float_edges)]
    return [one for one in (*found, _dead_bytes(graph, size)) if one]


def hybrid_ops(graph: Graph) -> list[Op]:
    """Operators with integer weights on float activations (dynamic-range quantization)."""
    return [op for op in graph.ops if len(op.inputs) > 1
            and (weights := graph.inputs_of(op)[1]) is not None and weights.is_constant
            and weights.dtype in _INTEGERS and weights.quant is not None
            and any(t is not None and t.dtype is DType.FLOAT32 and not t.is_constant
                    for t in graph.inputs_of(op))]


def _float_model(graph: Graph) -> Symptom | None:
    if any(t.dtype in _INTEGERS for t in graph.tensors):
        return None
    if not any(t.dtype is DType.FLOAT32 for t in graph.tensors):
        return None
    return Symptom("float_model", "no tensor is quantized: every operator computes in float",
                   QUANTIZE, ("aot",))


def _hybrid(graph: Graph) -> Symptom | None:
    ops = hybrid_ops(graph)
    return ops and Symptom(
        "dynamic_range", f"{_named(ops)} integer weights on float activations: a device has no "
        "such kernel", QUANTIZE, ("aot", "tflm")) or None


def _weight_only(graph: Graph) -> Symptom | None:
    ops = [op for op in graph.ops if op.kind == "DEQUANTIZE"
           and graph.tensors[op.inputs[0]].is_constant]
    return ops and Symptom(
        "weight_only", f"{_named(ops)} weights that are stored as integers and computed with in "
        "float", QUANTIZE, ("aot",)) or None


def _unsigned(graph: Graph) -> Symptom | None:
    inner = [op for op in graph.ops if op.kind not in ("QUANTIZE", "DEQUANTIZE")
             and any(t is not None and t.dtype is DType.UINT8 and t.quant is not None
                     for t in graph.inputs_of(op))]
    return inner and Symptom(
        "uint8_model", f"{_named(inner)} uint8 activations, as TensorFlow 1 quantized",
        "convert again with TensorFlow 2: int8 activations; uint8 may stay at the graph's edges "
        "only", ("aot",)) or None


def _computed_shape(graph: Graph) -> Symptom | None:
    ops = computed_shapes(graph)
    return ops and Symptom(
        "dynamic_batch", f"{_named(ops)} a shape that is computed at run time, since the batch was "
        "not fixed before conversion", "edgekit check MODEL --board B --fix -o OUT.tflite fixes "
        "the batch at 1", mends=True) or None


def _loop(graph: Graph) -> Symptom | None:
    ops = [op for op in graph.ops if op.kind in _LOOPS]
    return ops and Symptom(
        "rolled_loop", f"{_named(ops)} a loop: a recurrent layer that was neither unrolled nor "
        "fused", "keras.layers.LSTM(unroll=True), or a convolution over time", ("aot",)) or None


def _float_edges(graph: Graph) -> Symptom | None:
    ports = [*float_inputs(graph), *float_outputs(graph)]
    names = ", ".join(f"'{graph.tensors[i].name}'" for i in ports)
    return ports and Symptom(
        "float_edges", f"{names} in float, though quantized inside: float code and four times the "
        "bytes on the device", "edgekit check MODEL --board B --fix -o OUT.tflite, and "
        "NAME_quantize() where the numbers come from", mends=True) or None


def _dead_bytes(graph: Graph, size: int) -> Symptom | None:
    try:
        smaller = len(tflite_writer.write(slim(graph)))
    except BadModel:  # operators whose options edgekit does not know cannot be written again
        return None
    if size - smaller < max(size // 10, 512):
        return None
    return Symptom("unread_bytes", f"{size - smaller:,} of {size:,} bytes are names, signatures "
                   "and metadata that no device reads", "edgekit slim MODEL -o OUT.tflite, or "
                   "check --fix; it matters to tflm, which keeps the whole file in flash",
                   mends=True)


def _named(ops: list[Op]) -> str:
    """The first operator, and how many more; with the verb."""
    first = f"operator {ops[0].index} {ops[0].kind}"
    return f"{first} has" if len(ops) == 1 else f"{first} and {len(ops) - 1} more have"
