"""One network with one seed: trained, compressed in every way that is judged, run on TFLite Micro.

Every training, that of the float network too, has the same augmentation.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "mnist"))

import beside_torch  # noqa: E402

beside_torch.load()  # before TensorFlow: with its LLVM in the process, PyTorch's crashes

import data  # noqa: E402
import nets  # noqa: E402
import numpy as np  # noqa: E402

from edgekit.compact import slim  # noqa: E402
from edgekit.compress.finetune import evaluate, finetune  # noqa: E402
from edgekit.compress.methods import prune  # noqa: E402
from edgekit.compress.quantize import quantize  # noqa: E402
from edgekit.compression import int8_outputs  # noqa: E402
from edgekit.data import make  # noqa: E402
from edgekit.importers.keras import import_keras  # noqa: E402
from edgekit.model import model_of  # noqa: E402

COMMON = {"augment": data.moved, "deterministic": True}
TRAINING = {"epochs": 15, "learning_rate": 4e-3, **COMMON}
TUNING = {"epochs": 12, "learning_rate": 3e-3, **COMMON}  # after filters were removed
AWARE = {"method": "qat", "epochs": 6, "learning_rate": 5e-4, **COMMON}
THREE_BITS = {"method": "piecewise-linear", "bits": 3, **COMMON}
RATES = {"resnet8": {"half": 0.5}, "ds_cnn": {"half": 0.5, "quarter": 0.25}}


class Bench:
    """One network with one seed; `rows` has what was measured, by name."""

    def __init__(self, net: str, seed: int):
        self.train, self.test = make(*data.train()), make(*data.test())
        self.net, self.seed, self.rows = net, seed, {}
        self._begun = time.perf_counter()

    def run(self) -> dict[str, dict]:
        """`rows`: accuracies are fractions of the 1,000 test images, int8 ones TFLite Micro's."""
        import_keras().utils.set_random_seed(self.seed)
        model = finetune(nets.NETS[self.net](), self.train, seed=self.seed, **TRAINING)[0]
        self._note("float", parameters=model.count_params(), accuracy=evaluate(model, self.test))
        whole = model_of(quantize(model, self.train), self.net)
        self._note_int8("int8", whole, slim(whole)[0])
        for name, rate in RATES[self.net].items():
            self._pruned(model, name, rate)
        if self.net == "ds_cnn":
            self._three_bits(model)
        return self.rows

    def _pruned(self, model, name: str, rate: float) -> None:
        """Structured pruning, quantization-aware fine-tuning, slim."""
        smaller = prune(model, rate=rate, data=self.train, seed=self.seed, **TUNING)[0]
        self._note(f"{name} float", parameters=smaller.count_params(),
                   accuracy=evaluate(smaller, self.test))
        if beside_torch.available():
            parameters, accuracy = beside_torch.pruned(self.net, model, rate, self.train, self.test,
                                                       self.seed, TUNING)
            self._note(f"{name} torch-pruning", parameters=parameters, accuracy=accuracy)
        whole = model_of(quantize(smaller, self.train, seed=self.seed, **AWARE), self.net)
        self._note_int8(name, whole, slim(whole)[0])

    def _three_bits(self, model) -> None:
        """Eight values a tensor, as tables that TFLite Micro decodes."""
        whole = model_of(quantize(model, self.train, seed=self.seed, **THREE_BITS), self.net)
        self._note_int8("three bits", whole, slim(whole, for_tflm=True)[0])

    def _note_int8(self, name: str, whole, smaller) -> None:
        outputs = [int8_outputs(one, self.test) for one in (whole, smaller)]
        self._note(name, bytes=len(whole.data), slim_bytes=len(smaller.data),
                   equal=bool(np.array_equal(*outputs)),
                   accuracy=float(np.mean(outputs[1].argmax(axis=1) == self.test.y)))

    def _note(self, name: str, **found) -> None:
        now = time.perf_counter()
        self.rows[name] = found | {"seconds": round(now - self._begun, 1)}
        self._begun = now
