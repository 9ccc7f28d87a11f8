"""Link: how the host talks to firmware that runs a model, wherever it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Hello:
    """What firmware says of itself: the model's sha256 and the bytes of its inputs and outputs."""

    where: str
    model_sha256: str
    input_bytes: tuple[int, ...]
    output_bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Inference:
    """One inference: output bytes, and what was counted where counting was asked for.

    `cycles` and `latency_s` are a device's own measurement, None (and () by operator) where it has
    no clock; what it measures of an operator contains the call of its clock.
    """

    outputs: tuple[bytes, ...]
    instructions: int | None = None
    op_instructions: tuple[int, ...] = ()
    peak_stack: int | None = None
    cycles: int | None = None
    latency_s: float | None = None
    op_cycles: tuple[int, ...] = ()
    op_latency_s: tuple[float, ...] = ()


class Link(Protocol):
    """Hello, load, infer, layer: the same four words on an emulator and on a serial port."""

    def hello(self) -> Hello:
        """Who is there."""

    def load(self, inputs: tuple[bytes, ...]) -> None:
        """Put one sample into the input tensors."""

    def infer(self, *, count: bool = False) -> Inference:
        """Run the loaded sample; `count` asks for exact instructions and peak stack."""

    def layers(self) -> tuple[bytes | None, ...]:
        """Run the loaded sample and give each op's output bytes, None where nothing is stored."""


@runtime_checkable
class ChecksumLink(Link, Protocol):
    """A Link over a slow wire, which compares checksums before it sends tensors."""

    def layers_like(self, expected: Sequence[bytes | None]) -> tuple[bytes | None, ...]:
        """As `layers`; where an op's CRC-32 is the expected bytes' own, they are given back."""
