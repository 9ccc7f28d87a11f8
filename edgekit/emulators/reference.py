"""The reference engine as a Link: NumPy on integers, always there."""

from __future__ import annotations

import numpy as np

from edgekit import reference
from edgekit.link import Hello, Inference
from edgekit.model import Model


class ReferenceLink:
    """Runs the graph's reference(); nothing is compiled."""

    def __init__(self, model: Model):
        self._model = model
        self._inputs: tuple[np.ndarray, ...] = ()

    def _sizes(self, indices: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(self._model.graph.tensors[i].nbytes for i in indices)

    def hello(self) -> Hello:
        graph = self._model.graph
        return Hello("reference", self._model.sha256, self._sizes(graph.inputs),
                     self._sizes(graph.outputs))

    def load(self, inputs: tuple[bytes, ...]) -> None:
        graph = self._model.graph
        self._inputs = tuple(np.frombuffer(data, graph.tensors[i].dtype.numpy)
                             for i, data in zip(graph.inputs, inputs, strict=True))

    def _run(self) -> dict[int, np.ndarray]:
        return reference.run(self._model.graph, self._inputs)

    def infer(self, *, count: bool = False) -> Inference:
        values = self._run()
        return Inference(tuple(values[i].tobytes() for i in self._model.graph.outputs))

    def layers(self) -> tuple[bytes | None, ...]:
        values = self._run()
        return tuple(b"".join(values[i].tobytes() for i in op.outputs)
                     for op in self._model.graph.ops)
