"""Seeded mutants of .tflite files: what a damaged or hostile model looks like.

Most bytes of a model are weights, whose mutants are valid models: nine of ten changes go to the
bytes outside the constants, where the structure is.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from cases import load
from edgekit import ops, tflite, tflite_writer
from edgekit.graph import DType, Graph, Op, Quant, Tensor
from edgekit.ops import conv_2d, fully_connected, softmax

OUTSIDE_SHARE = 0.9
SCALES_SHARE = 0.2  # mutants of the arithmetic, which most others never reach
FLOATS = (0.0, -1.0, 1e-45, 1.1754944e-38, 1e-20, 2**-28, 2**-20, 1 / 256, 0.5, 1.0, 1024.0, 1e9,
          1e20, 3.4028235e38, float("inf"), float("nan"))
INTEGERS = (-(2**31), -129, -2, -1, 0, 1, 2, 3, 4, 5, 127, 128, 255, 256, 4096, 65535, 65536,
            2**24, 2**28, 2**30, 2**31 - 1)


@dataclass(frozen=True)
class Mutant:
    """`changed` are the positions whose bytes were overwritten."""

    base: int
    data: bytes
    changed: tuple[int, ...]


def small_graphs() -> list[Graph]:
    """The graph of each operator case and three whole networks."""
    return [graph for _, graph in load()] + [dense(), image(), chain()]


def small_models() -> list[bytes]:
    """Their files, smallest first."""
    return sorted((tflite_writer.write(graph) for graph in small_graphs()), key=len)


def mutants(bases: list[bytes], count: int, seed: int) -> Iterator[Mutant]:
    """`count` mutants, the bases in turn."""
    outside, scales = [_outside(base) for base in bases], [_scales(base) for base in bases]
    for number in range(count):
        rng = random.Random(seed * 1_000_003 + number)
        base = number % len(bases)
        if scales[base] and rng.random() < SCALES_SHARE:
            yield _with_other_scales(rng, base, bases[base], scales[base])
        else:
            yield _mutant(rng, base, bases[base], *outside[base])


def outside_share(bases: list[bytes], found: list[Mutant]) -> float:
    """The share of overwritten bytes that lie outside the constants."""
    sets = [set(_outside(base)[0]) for base in bases]
    inside = [position in sets[m.base] for m in found for position in m.changed]
    return sum(inside) / len(inside)


def truncations(data: bytes) -> Iterator[bytes]:
    return (data[:length] for length in range(len(data)))


def _outside(data: bytes) -> tuple[list[int], list[int]]:
    """(positions outside the constants, positions inside)."""
    constant = set()
    for span in tflite.read_layout(data).spans:
        if span is not None:
            constant.update(range(span[0], span[0] + span[1]))
    everything = range(len(data))
    return [i for i in everything if i not in constant], sorted(constant)


def _mutant(rng: random.Random, base: int, data: bytes, outside: list[int],
            inside: list[int]) -> Mutant:
    out, changed = bytearray(data), set()
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        places = outside if not inside or rng.random() < OUTSIDE_SHARE else inside
        place, patch = _patch(rng, rng.choice(places), data)
        out[place:place + len(patch)] = patch
        changed.update(range(place, place + len(patch)))
    if rng.random() < 0.05:
        _splice(rng, out)
    return Mutant(base, bytes(out), tuple(sorted(changed)))


def _scales(data: bytes) -> list[int]:
    """Positions that hold a tensor's first scale."""
    wanted = {struct.pack("<f", t.quant.scale[0]) for t in tflite.read(data).tensors if t.quant}
    return [i for i in range(0, len(data) - 3, 4) if data[i:i + 4] in wanted]


def _with_other_scales(rng: random.Random, base: int, data: bytes, places: list[int]) -> Mutant:
    out, chosen = bytearray(data), rng.sample(places, rng.randint(1, min(3, len(places))))
    for place in chosen:
        value = rng.choice((rng.choice(FLOATS), 2.0 ** rng.uniform(-40, 40),
                            2.0 ** rng.randint(-40, 40)))
        out[place:place + 4] = struct.pack("<f", value)
    return Mutant(base, bytes(out), tuple(i for place in chosen for i in range(place, place + 4)))


def _patch(rng: random.Random, place: int, data: bytes) -> tuple[int, bytes]:
    """(place, bytes to write there), a bit, a byte or an aligned word."""
    kind = rng.randrange(6)
    if kind == 0:
        return place, bytes([data[place] ^ 1 << rng.randrange(8)])
    if kind == 1:
        return place, bytes([rng.choice((0, 1, 2, 3, 4, 127, 128, 255, rng.randrange(256)))])
    place = min(place & ~3, len(data) - 4)
    if kind == 2:
        return place, struct.pack("<i", rng.choice(INTEGERS))
    if kind == 3:
        return place, struct.pack("<f", rng.choice(FLOATS))
    word = struct.unpack_from("<I", data, place)[0]
    if kind == 4:
        return place, struct.pack("<I", (word + rng.choice((-8, -4, -1, 1, 4, 8))) % 2**32)
    other = rng.randrange(0, len(data) - 3, 4)
    return place, data[other:other + 4]


def _splice(rng: random.Random, out: bytearray) -> None:
    """Remove a stretch, or repeat one."""
    start = rng.randrange(len(out))
    length = rng.randrange(1, 33)
    if rng.random() < 0.5:
        del out[start:start + length]
    else:
        out[start:start] = out[start:start + length]


# Whole networks.

def _tensor(name: str, shape: tuple[int, ...], scale: float = 0.05, zero_point: int = 3,
            fill: int | None = None) -> Tensor:
    size = 1
    for dim in shape:
        size *= dim
    data = None if fill is None else bytes((fill * i * i + 5 * i) % 256 for i in range(size))
    quant = Quant((struct.unpack("<f", struct.pack("<f", scale))[0],), (zero_point,))
    return Tensor(name, shape, DType.INT8, quant, data)


def _bias(name: str, count: int) -> Tensor:
    data = struct.pack(f"<{count}i", *(97 * i - 500 for i in range(count)))
    return Tensor(name, (count,), DType.INT32, None, data)


def dense() -> Graph:
    """A fully connected classifier: two layers and a softmax."""
    layer = fully_connected.Options
    tensors = (_tensor("x", (1, 8)), _tensor("w0", (6, 8), 0.01, 0, fill=7), _bias("b0", 6),
               _tensor("h", (1, 6), 0.04, -128), _tensor("w1", (3, 6), 0.02, 0, fill=11),
               _tensor("logits", (1, 3), 0.1, 4), _tensor("y", (1, 3), 1 / 256, -128))
    ops = (Op("FULLY_CONNECTED", (0, 1, 2), (3,), layer(activation=1), index=0),
           Op("FULLY_CONNECTED", (3, 4, -1), (5,), layer(), index=1),
           Op("SOFTMAX", (5,), (6,), softmax.Options(1.0), index=2))
    return Graph("model", tensors, ops, (0,), (6,))


def image() -> Graph:
    """A small image network with a residual sum."""
    tensors = (_tensor("image", (1, 6, 6, 2)), _tensor("filters", (4, 3, 3, 2), 0.01, 0, fill=3),
               _bias("bias", 4), _tensor("a", (1, 3, 3, 4), 0.1, -10),
               _tensor("depthwise", (1, 3, 3, 4), 0.02, 0, fill=9), _bias("bias2", 4),
               _tensor("b", (1, 3, 3, 4), 0.1, -10), _tensor("sum", (1, 3, 3, 4), 0.15, 0),
               _tensor("pooled", (1, 1, 1, 4), 0.15, 0), _tensor("flat", (1, 4), 0.15, 0))
    conv = conv_2d.Options(padding=0, stride_w=2, stride_h=2, activation=1)
    return Graph("model", tensors, (
        Op("CONV_2D", (0, 1, 2), (3,), conv, index=0),
        Op("DEPTHWISE_CONV_2D", (3, 4, 5), (6,), _options(
            "DEPTHWISE_CONV_2D", padding=0, stride_w=1, stride_h=1, depth_multiplier=1), index=1),
        Op("ADD", (3, 6), (7,), _options("ADD"), index=2),
        Op("AVERAGE_POOL_2D", (7,), (8,), _options(
            "AVERAGE_POOL_2D", padding=1, stride_w=3, stride_h=3, filter_width=3,
            filter_height=3), index=3),
        Op("RESHAPE", (8,), (9,), _options("RESHAPE", new_shape=(1, 4)), index=4)), (0,), (9,))


def chain() -> Graph:
    """Elementwise operators with two inputs and two outputs."""
    tensors = tuple(_tensor(name, (1, 5), scale, zero_point) for name, scale, zero_point in (
        ("x", 0.05, 0), ("y", 0.1, 7), ("product", 0.07, -3), ("relu", 0.07, -128),
        ("sigmoid", 1 / 256, -128)))
    return Graph("model", tensors, (
        Op("MUL", (0, 1), (2,), _options("MUL"), index=0),
        Op("RELU", (2,), (3,), _options("RELU"), index=1),
        Op("LOGISTIC", (2,), (4,), _options("LOGISTIC"), index=2)), (0, 1), (3, 4))


def _options(kind: str, **values):
    return ops.get(kind).Options(**values)
