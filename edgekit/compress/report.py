"""What a pruning did, as values: layer by layer, and step by step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerReport:
    """One layer before and after: filters (or neurons) that are there, or weights that are not
    zero, as `unit` says. `kept`: old positions of the filters left; of weights, nothing.
    `norms`: the smallest, median and largest L1 norm of its filters, for choosing a threshold.
    """

    name: str
    kind: str
    before: int
    after: int
    kept: tuple[int, ...]
    note: str = ""
    unit: str = "filters"
    norms: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Step:
    """The model after one step. `nonzero`: parameters other than zero; `macs`: multiply-accumulates
    of one inference, None when a layer's are not known; `int8_bytes`: an estimate of the weights
    and biases in an int8 .tflite; `accuracy`: measured, None without labels."""

    name: str
    parameters: int
    nonzero: int
    macs: int | None
    int8_bytes: int
    accuracy: float | None


@dataclass(frozen=True)
class Report:
    """What pruning did: every layer with filters or neurons, and the parameters of the model."""

    method: str
    layers: tuple[LayerReport, ...]
    parameters_before: int
    parameters_after: int
    notes: tuple[str, ...]
    steps: tuple[Step, ...] = ()
