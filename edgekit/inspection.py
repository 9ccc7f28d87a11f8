"""What is in a model, and which runtimes and boards take it."""

from __future__ import annotations

from functools import lru_cache

from edgekit import checks, memories, tflite
from edgekit.board import Board, board_names, load_board
from edgekit.documents import document, issue
from edgekit.errors import BadModel
from edgekit.graph import Graph, Tensor, options_as_dict
from edgekit.macs import macs_of, model_section
from edgekit.memory import plan
from edgekit.model import Model, compiled_graph
from edgekit.runtimes.tflm_ops import registrations
from edgekit.symptoms import symptoms


def inspect(model: Model) -> dict:
    """`edgekit.inspect`: tensors, operators, and who takes the model."""
    graph, stored = model.graph, tflite.read(model.data, model.name)
    aot_reasons, tflm_reasons = checks.unsupported(graph), tflm_unsupported(graph)
    fits = [] if aot_reasons else [name for name in board_names()
                                   if not does_not_fit(model, load_board(name))]
    return document(
        "inspect", model=model_section(graph, model.name, model.sha256),
        inputs=[_tensor(graph.tensors[i]) for i in graph.inputs],
        outputs=[_tensor(graph.tensors[i]) for i in graph.outputs],
        ops=[{"index": op.index, "kind": op.kind, "version": op.version,
              "inputs": [_tensor(t) if t else None for t in stored.inputs_of(op)],
              "outputs": [_tensor(t) for t in stored.outputs_of(op)],
              "options": options_as_dict(op.options), "macs": macs}
             for op, macs in zip(stored.ops, macs_of(stored), strict=True)],
        runtimes={"aot": {"ok": not aot_reasons, "reasons": aot_reasons},
                  "tflm": {"ok": not tflm_reasons, "reasons": tflm_reasons}},
        boards=fits if not aot_reasons else None,
        arena=None if aot_reasons else _arena(model),
        issues=[issue("not_planned", "the aot runtime does not take the model: its arena and "
                      "boards are not known")] if aot_reasons else [])


def _tensor(tensor: Tensor) -> dict:
    quant = tensor.quant
    return {"name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.dtype.value,
            "bytes": tensor.nbytes, "constant": tensor.is_constant,
            "scale": list(quant.scale) if quant else None,
            "zero_point": list(quant.zero_point) if quant else None,
            "axis": quant.axis if quant else None}


def tflm_unsupported(graph: Graph) -> list[str]:
    """Why TFLite Micro cannot run the graph, as far as its operators tell."""
    try:
        registrations(graph)
    except BadModel as error:
        return list(error.reasons or (error.message,))
    return []


@lru_cache(maxsize=1)
def _arena(model: Model) -> int:
    """Bytes with portable kernels; a board's own take scratch besides."""
    return plan(compiled_graph(model)).arena_size


def does_not_fit(model: Model, board: Board) -> list[str]:
    """Why the aot model's data alone is too large for a board; code comes on top."""
    if not board.memory:
        return []
    needs = _arena(model)
    constants = sum(t.nbytes for t in model.graph.tensors if t.is_constant)
    return [f"the model needs {need:,} bytes of {what}, {board.title} has {size:,}"
            for need, what, size in ((needs, "RAM", memories.largest_arena(board)),
                                     (constants, "flash", board.flash_size)) if need > size]


def check(model: Model, board: Board, runtime: str) -> dict:
    """`edgekit.check`: every problem at once; `exit` 2 unsupported, 1 does not fit, 0 neither."""
    other = {"aot": "tflm", "tflm": "aot"}[runtime]
    reasons = {"aot": checks.unsupported, "tflm": tflm_unsupported}
    unsupported = reasons[runtime](model.graph)
    found = symptoms(model.graph, len(model.data))
    blocking = [one for one in found if runtime in one.blocks]
    fix = (f"--runtime {other} takes it" if unsupported and not reasons[other](model.graph)
           else "convert the model again: full int8, operators edgekit inspect shows as known")
    problems = [{"kind": one.kind, "cause": one.cause, "fix": one.fix} for one in blocking]
    problems += [{"kind": "unsupported", "cause": reason, "fix": fix} for reason in unsupported]
    if not checks.unsupported(model.graph):
        problems += [{"kind": "does_not_fit", "cause": cause,
                      "fix": "prune the model, or choose a larger board"}
                     for cause in does_not_fit(model, board)]
    code = 2 if unsupported or blocking else 1 if problems else 0
    return document("check", model=model_section(model.graph, model.name, model.sha256),
                    board=board.name, runtime=runtime, problems=problems, exit=code, ok=not code,
                    issues=[issue(one.kind, one.cause, one.fix, "warning" if one.blocks else "info")
                            for one in found if one not in blocking])
