"""NAME.h: one header for both runtimes, so that swapping them is one option."""

from __future__ import annotations

import re

import numpy as np

from edgekit.codegen import render
from edgekit.errors import UsageError
from edgekit.graph import DType, Graph, Tensor

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_C_WORDS = frozenset("""auto break case char const continue default do double else enum extern float
for goto if inline int long register restrict return short signed sizeof static struct switch
typedef union unsigned void volatile while bool true false main""".split())
# NAME.h would hide a header of the compiler or of the project, or be a device on Windows.
_FILES = frozenset("""assert complex ctype errno fenv float inttypes iso646 limits locale math
setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath
threads time uchar wchar wctype board link selftest kernels con prn aux nul""".split())
_RESERVED = _C_WORDS | _FILES
MAX_NAME = 48  # characters: longer ones make paths that some systems refuse


def checked_name(name: str) -> str:
    """The model's name, if it can be a C identifier's stem."""
    if not _NAME.fullmatch(name) or _is_taken(name) or len(name) > MAX_NAME:
        raise UsageError(f"'{name}' cannot be a model's name in C",
                         f"use small letters, digits and underscores, a letter first, at most "
                         f"{MAX_NAME}; C's own words and headers are taken")
    return name


def name_from(stem: str) -> str:
    """A file's stem as a model name: 'KWS ref-model' -> 'kws_ref_model'."""
    name = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")
    if not name or not name[0].isalpha():
        name = f"model_{name}".rstrip("_")
    name = name[:MAX_NAME].rstrip("_")
    if name.startswith("edgekit"):
        name = f"model_{name}"[:MAX_NAME].rstrip("_")
    return f"{name}_model" if _is_taken(name) else name


def _is_taken(name: str) -> bool:
    is_port = re.fullmatch(r"(com|lpt)[0-9]", name) is not None
    return name in _RESERVED or is_port or name.startswith("edgekit")


def comment(text: str, limit: int = 60) -> str:
    """A name from the model as text that is safe inside a C comment."""
    return re.sub(r"[^A-Za-z0-9_.:;,\-\[\] ]", "_", text)[:limit]


def render_header(graph: Graph, name: str, runtime: str, model_sha256: str, arena_size: int,
                  has_ops: bool) -> str:
    """NAME.h; `has_ops` says whether the runtime can stop after an operator."""
    macro = name.upper()
    ports = (_ports(graph, graph.inputs, macro, name, "input")
             + _ports(graph, graph.outputs, macro, name, "output"))
    return render("model/model.h.j2", name=name, macro=macro, runtime=runtime,
                  model_sha256=model_sha256, arena_size=arena_size, op_count=len(graph.file_ops),
                  input_count=len(graph.inputs), output_count=len(graph.outputs), ports=ports,
                  has_ops=has_ops)


def _ports(graph: Graph, indices: tuple[int, ...], macro: str, name: str, side: str) -> list[dict]:
    """The first tensor without a number; with several, each with its own besides."""
    tensors = [graph.tensors[i] for i in indices]
    ports = [_port(tensors[0], macro, name, side, "")]
    if len(tensors) > 1:
        ports += [_port(tensor, macro, name, side, f"_{i}") for i, tensor in enumerate(tensors)]
    return ports


def _port(tensor: Tensor, macro: str, name: str, side: str, number: str) -> dict:
    quantized = tensor.quant is not None and tensor.dtype is not DType.FLOAT32
    limits = np.iinfo(tensor.dtype.numpy) if quantized else None
    shape = ", ".join(map(str, tensor.shape))
    return {
        "comment": f"{side}{number}: {comment(tensor.name)} [{shape}]",
        "macro": f"{macro}_{side.upper()}{number}", "function": f"{name}_{side}{number}",
        "quantize": f"{name}_quantize{number}", "dequantize": f"{name}_dequantize{number}",
        "bytes": tensor.nbytes, "ctype": tensor.dtype.c, "is_input": side == "input",
        "scale": f"{c_float(tensor.scale)}" if quantized else None,
        "zero_point": tensor.zero_point if quantized else 0,
        "low": int(limits.min) if quantized else 0, "high": int(limits.max) if quantized else 0,
    }


def c_float(value: float) -> str:
    """A float32 as a C literal that reads back as the same bits."""
    text = np.format_float_scientific(np.float32(value), unique=True)
    return f"{text}f"
