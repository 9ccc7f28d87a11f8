"""The aot runtime: a graph and its memory plan as plain C11, no interpreter, no heap."""

from __future__ import annotations

import json
from collections.abc import Sequence

from edgekit import memories, resources
from edgekit.codegen import ModelCode, Project, c_bytes, copied, render
from edgekit.graph import Graph, Op
from edgekit.memory import MemoryPlan, lower
from edgekit.ops.base import Call, Constant, InScratch
from edgekit.runtimes.header import checked_name, comment, render_header


def generate(graph: Graph, plan: MemoryPlan, name: str, model_sha256: str,
             board: str, calls: Sequence[tuple[Call, ...]] | None = None,
             ram_for_constants: int = 0) -> ModelCode:
    """NAME.h, NAME.c, NAME.map.json and the kernels the graph needs.

    `calls` are those that `plan` was made for, the portable ones where they are not given;
    `ram_for_constants` is how many bytes of RAM the constants read most often may take.
    """
    checked_name(name)
    calls = lower(graph) if calls is None else calls
    tables = _Tables(ram_for_constants)
    source = _render_source(graph, plan, calls, name, model_sha256, board, tables)
    model_map = build_map(graph, plan, calls, name, model_sha256, tables)
    header = render_header(graph, name, "aot", model_sha256, plan.arena_size, has_ops=True)
    kernels = _kernels(calls)
    files = Project.of({f"{name}.c": source, f"{name}.h": header,
                        f"{name}.map.json": json.dumps(model_map, indent=1) + "\n"})
    sources = (f"{name}.c", *(path for path, _ in kernels.files if path.endswith(".c")))
    return ModelCode(name, "aot", model_sha256, plan.arena_size, files.merged(kernels), sources,
                     model_map)


def _kernels(calls: Sequence[tuple[Call, ...]]) -> Project:
    """The kernel sources and headers that the calls name, copied verbatim."""
    used = {call for lowered in calls for call in lowered}
    names = {f"{call.header}.h" for call in used} | {f"{call.kernel}.c" for call in used}
    return copied("kernels", sorted(names | _included(names))).under("kernels")


def _included(names: set[str]) -> set[str]:
    """The kernel headers that these files include, directly or not."""
    folder, found, todo = resources.folder("templates") / "kernels", set(), set(names)
    while todo:
        text = (folder / todo.pop()).read_text()
        for line in text.splitlines():
            if line.startswith('#include "'):
                header = line.split('"')[1]
                if header not in found | names:
                    found.add(header)
                    todo.add(header)
    return found


def build_map(graph: Graph, plan: MemoryPlan, calls: Sequence[tuple[Call, ...]], name: str,
              model_sha256: str, tables: _Tables) -> dict:
    """What NAME.map.json says: where each of the .tflite's tensors is while it is alive."""
    def entry(tensor: int) -> dict:
        t = graph.tensors[tensor]
        return {"tensor": tensor, "name": t.name, "offset": plan.offset(tensor), "bytes": t.nbytes}

    def output(tensor: int) -> dict:
        left = graph.tensors[tensor].channels
        return entry(tensor) | ({} if left is None else {"channels": list(left)})

    by_index = {op.index: lowered for op, lowered in zip(graph.ops, calls, strict=True)}
    return {
        "schema": "edgekit.map", "name": name, "model_sha256": model_sha256,
        "arena": {"symbol": f"{name}_arena", "size": plan.arena_size},
        "inputs": [entry(i) for i in graph.inputs],
        "outputs": [entry(i) for i in graph.outputs],
        "ops": [{"index": op.index, "kind": op.kind,
                 "symbol": _function(name, op) if by_index.get(op.index) else None,
                 "kernel": _kernel(by_index.get(op.index, ())),
                 "outputs": [output(i) for i in op.outputs]} for op in graph.file_ops],
        "constants": tables.listed(),
    }


def _kernel(lowered: tuple[Call, ...]) -> str:
    return "+".join(dict.fromkeys(call.kernel for call in lowered)) or "folded"


def _function(name: str, op: Op) -> str:
    return f"{name}_op_{op.index:02d}"


def _render_source(graph: Graph, plan: MemoryPlan, calls: Sequence[tuple[Call, ...]], name: str,
                   model_sha256: str, board: str, tables: _Tables) -> str:
    operators = [_operator(graph, plan, op, lowered, name, tables)
                 for op, lowered in zip(graph.ops, calls, strict=True) if lowered]
    headers = sorted({f"kernels/{call.header}.h" for lowered in calls for call in lowered})
    stored = [(plan.offset(op.outputs[0]), graph.tensors[op.outputs[0]].nbytes)
              if op.outputs else (0, 0) for op in graph.file_ops]
    return render("aot/model.c.j2", name=name, macro=name.upper(), model_sha256=model_sha256,
                  board=board, arena_size=plan.arena_size, bound=plan.bound,
                  alignment=plan.alignment, arena_rows=_arena_rows(graph, plan), headers=headers,
                  tables=tables.rendered(), ops=operators, op_outputs=stored,
                  sides=_sides(graph, plan, name))


class _Tables:
    """The constants of a model: equal ones are stored once, under the first one's name."""

    # What encodes the model's own tensors; other tables are edgekit's (exponentials and such).
    _WEIGHTS = ("weights", "bias", "multiplier", "shift", "tensor")

    def __init__(self, ram: int):
        self.names: dict[Constant, str] = {}
        self._reads: dict[Constant, int] = {}
        self._ram = ram

    def name(self, constant: Constant, wanted: str, reads: int) -> str:
        """The symbol of a constant that an operator reads that often."""
        self._reads[constant] = self._reads.get(constant, 0) + reads
        return self.names.setdefault(constant, wanted)

    def _hot(self) -> frozenset[str]:
        return memories.hot(((name, len(constant.data), self._reads[constant])
                              for constant, name in self.names.items()), self._ram)

    def rendered(self) -> list[dict]:
        hot = self._hot()
        return [{"ctype": constant.ctype, "name": name, "count": len(constant.values),
                 "body": c_bytes(constant.values), "hot": name in hot}
                for constant, name in self.names.items()]

    def listed(self) -> list[dict]:
        hot = self._hot()
        return [{"symbol": name, "bytes": len(constant.data),
                 "is_weights": any(word in name for word in self._WEIGHTS),
                 "reads": self._reads[constant], "kind": "ram" if name in hot else "flash"}
                for constant, name in self.names.items()]


def _operator(graph: Graph, plan: MemoryPlan, op: Op, lowered: tuple[Call, ...], name: str,
              tables: _Tables) -> dict:
    reads = ", ".join(comment(t.name) for t in graph.inputs_of(op) if t and not t.is_constant)
    writes = ", ".join(f"{comment(t.name)} [{', '.join(map(str, t.shape))}]"
                       for t in graph.outputs_of(op))
    return {"index": op.index, "kind": op.kind, "function": _function(name, op),
            "comment": f"{reads} -> {writes}",
            "calls": [_call(graph, plan, op, call, number, tables)
                      for number, call in enumerate(lowered)]}


def _call(graph: Graph, plan: MemoryPlan, op: Op, call: Call, number: int,
          tables: _Tables) -> dict:
    prefix = f"op_{op.index:02d}_" + (f"{number}_" if number else "")
    sizes = [len(given.data) for _, given in call.params if isinstance(given, Constant)]
    reads = memories.reads(graph, op, max(sizes, default=0))

    def scratch(ctype: str, offset: int) -> str:
        return f"AT({ctype}, {plan.offset(-1 - graph.ops.index(op)) + offset})"

    def value(field: str, given: int | Constant | InScratch | None) -> str:
        if isinstance(given, Constant):
            return tables.name(given, prefix + field.rpartition(".")[2], reads)
        if isinstance(given, InScratch):
            return scratch(f"const {given.ctype}", given.offset)
        return "NULL" if given is None else str(given)

    def pointer(tensor: int, const: str) -> str:
        t = graph.tensors[tensor]
        if t.is_constant:
            return tables.name(Constant(t.dtype.c, t.data), f"tensor_{tensor}", reads)
        return f"AT({const}{t.dtype.c}, {plan.offset(tensor)})"

    arguments = [pointer(i, "const ") for i in call.inputs] + [pointer(i, "") for i in call.outputs]
    if call.scratch:
        arguments.append(scratch("void", 0))
    # Where the program hands the arena over, its address is no constant.
    fixed = not any(isinstance(given, InScratch) for _, given in call.params)
    return {"storage": "static const" if fixed else "const", "kernel": call.kernel, "struct": f"edgekit_{call.header}_t",
            "fields": [(field, value(field, given)) for field, given in call.params],
            "arguments": ", ".join(arguments)}


def _arena_rows(graph: Graph, plan: MemoryPlan) -> list[str]:
    def title(tensor: int) -> str:
        if tensor < 0:
            return f"scratch of operator {graph.ops[-1 - tensor].index}"
        return comment(graph.tensors[tensor].name)

    return [f"{p.offset:8d} {p.size:9d}  {p.first:4d}..{p.last:<4d}   {title(p.tensor)}"
            for p in plan.placements]


def _sides(graph: Graph, plan: MemoryPlan, name: str) -> list[tuple]:
    """(side, const, offset of each tensor, accessor functions) of the inputs and the outputs."""
    def ports(side: str, indices: tuple[int, ...]) -> list[dict]:
        # As in NAME.h: the first without a number; with several, each with its own besides.
        several = len(indices) > 1
        numbers = ["", *(f"_{i}" for i in range(len(indices)) if several)]
        tensors = (indices[0], *(indices if several else ()))
        return [{"macro": f"{name.upper()}_{side.upper()}{number}",
                 "function": f"{name}_{side}{number}", "offset": plan.offset(tensor)}
                for number, tensor in zip(numbers, tensors, strict=True)]

    return [(side, const, [plan.offset(i) for i in indices], ports(side, indices))
            for side, const, indices in (("input", "", graph.inputs),
                                         ("output", "const ", graph.outputs))]
