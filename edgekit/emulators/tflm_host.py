"""The golden: TensorFlow Lite Micro itself, from the `tflite-micro` wheel, on the host."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version

import numpy as np

from edgekit.errors import BadModel, NotThere
from edgekit.graph import Graph
from edgekit.link import Hello, Inference
from edgekit.runtimes.tflm_plan import METADATA


def available() -> bool:
    return importlib.util.find_spec("tflite_micro") is not None


def golden_name() -> str:
    """What the golden outputs come from, as reports name it."""
    return f"tflite-micro {version('tflite-micro')}"


def require() -> None:
    """NotThere without the wheel."""
    if not available():
        raise NotThere("the Python package tflite-micro is not there",
                       "pip install 'edgekit[tflm]' (x86-64 Linux only)")


class TflmHost:
    """An interpreter over one model; `preserve` keeps every tensor readable after `run`, wherever
    a plan in the file would put them."""

    def __init__(self, model: bytes, graph: Graph, *, preserve: bool = False):
        require()
        from tflite_micro import runtime
        config = runtime.InterpreterConfig
        self.graph = graph
        # Preserving keeps all activations at once: give it room for their sum.
        arena = 10 * len(model) + 2 * sum(t.nbytes for t in graph.tensors) + 100_000
        if preserve:
            model = model.replace(METADATA.encode(), METADATA.lower().encode())
        try:
            self._interpreter = runtime.Interpreter.from_bytes(
                model, arena_size=arena,
                intrepreter_config=config.kPreserveAllTensors if preserve
                else config.kAllocationRecording)
        except RuntimeError as error:
            raise BadModel(f"TensorFlow Lite Micro refuses the model: {error}",
                           "edgekit check MODEL names the operators it cannot run") from error

    def run(self, inputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """The outputs of one inference."""
        for i, (index, value) in enumerate(zip(self.graph.inputs, inputs, strict=True)):
            tensor = self.graph.tensors[index]
            self._interpreter.set_input(np.asarray(value, tensor.dtype.value)
                                        .reshape(tensor.shape), i)
        self._interpreter.invoke()
        return tuple(np.array(self._interpreter.get_output(i))
                     for i in range(len(self.graph.outputs)))

    def tensor(self, index: int) -> np.ndarray:
        """A tensor of the last run (with `preserve`)."""
        return np.array(self._interpreter.GetTensor(index, 0)["tensor_data"])


class TflmLink:
    """TFLite Micro on the host behind the four words of a Link; `host` preserves tensors."""

    def __init__(self, model, host: TflmHost):
        self._model, self._host = model, host
        self._inputs: tuple[np.ndarray, ...] = ()

    def hello(self) -> Hello:
        graph = self._model.graph
        return Hello("tflm_host", self._model.sha256,
                     *(tuple(graph.tensors[i].nbytes for i in indices)
                       for indices in (graph.inputs, graph.outputs)))

    def load(self, inputs: tuple[bytes, ...]) -> None:
        graph = self._model.graph
        self._inputs = tuple(np.frombuffer(data, graph.tensors[i].dtype.numpy)
                             for i, data in zip(graph.inputs, inputs, strict=True))

    def infer(self, *, count: bool = False) -> Inference:
        return Inference(tuple(np.ascontiguousarray(value).tobytes()
                               for value in self._host.run(self._inputs)))

    def layers(self) -> tuple[bytes | None, ...]:
        outputs = dict(zip(self._model.graph.outputs, self._host.run(self._inputs)))
        return tuple(b"".join(np.ascontiguousarray(
            outputs[i] if i in outputs else self._host.tensor(i)).tobytes() for i in op.outputs)
            for op in self._model.graph.ops)
