"""The golden outputs: TensorFlow Lite Micro where its wheel is there, else our own reference."""

from __future__ import annotations

import numpy as np

from edgekit import checks, reference
from edgekit.emulators import tflm_host
from edgekit.model import Model
from edgekit.samples import Sample


class Golden:
    """Every tensor of an inference as the golden computes it, or with `of_outputs` those alone, in
    an arena as a device has it. `name` goes into reports.

    BadModel where there is only the reference, and it cannot run the model.
    """

    def __init__(self, model: Model, *, of_reference: bool = False, of_outputs: bool = False):
        self._graph = model.graph
        self._tflm = None
        if tflm_host.available() and not of_reference:
            self._tflm = tflm_host.TflmHost(model.data, model.graph, preserve=not of_outputs)
        else:
            checks.require_supported(model.graph)
        self.name = tflm_host.golden_name() if self._tflm else "reference"
        self._values: dict[int, np.ndarray] = {}

    def run(self, sample: Sample) -> None:
        if self._tflm:
            self._outputs = dict(zip(self._graph.outputs, self._tflm.run(sample)))
        else:
            self._values = reference.run(self._graph, sample)
            self._outputs = {i: self._values[i] for i in self._graph.outputs}

    def tensor(self, index: int) -> bytes:
        """A tensor of the last run, as little-endian bytes."""
        if index in self._outputs:
            return np.ascontiguousarray(self._outputs[index]).tobytes()
        value = self._tflm.tensor(index) if self._tflm else self._values[index]
        return np.ascontiguousarray(value).tobytes()
