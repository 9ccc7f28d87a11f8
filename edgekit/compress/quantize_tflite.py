"""Full int8 quantization of a float .tflite, without TensorFlow, by the package litert-quantizer."""

from __future__ import annotations

import importlib.util

import numpy as np

from edgekit import data as samples
from edgekit import tflite
from edgekit.data import Data
from edgekit.errors import BadModel, NotThere
from edgekit.quiet import quiet

PACKAGE = "litert_quantizer"


def quantize_tflite(content: bytes, data: Data, x: np.ndarray) -> bytes:
    """The int8 .tflite (int8 ends, per-channel weights) of a float one; `x` calibrates it.

    Raises NotThere without litert-quantizer, BadModel for a damaged file, one without a
    signature or with several inputs, and for what the quantizer refuses; BadData.
    """
    graph = tflite.read(content)  # the bounds-checked reader first: LiteRT crashes on bad files
    if importlib.util.find_spec(PACKAGE) is None:
        raise NotThere("quantizing a float .tflite needs the Python package litert-quantizer",
                       "pip install 'edgekit[litert]', or give the Keras model")
    if len(graph.inputs) != 1:
        raise BadModel(f"the model has {len(graph.inputs)} inputs; one is supported",
                       "concatenate the inputs outside the model")
    samples.check_calibration(data, graph.tensors[graph.inputs[0]].shape[1:])
    with quiet() as said:
        try:
            return _quantize(content, x)
        except BadModel:
            raise
        except Exception as error:  # the package lets every library's own errors through
            reason = (f"{error}\n{said()}".strip().splitlines() or [type(error).__name__])[0]
            raise BadModel(f"the .tflite cannot be quantized: {reason[:300]}",
                           "give the Keras model it was made from") from error


def _quantize(content: bytes, x: np.ndarray) -> bytes:
    from ai_edge_litert.interpreter import Interpreter
    from litert_quantizer import quantizer, recipe
    signatures = Interpreter(model_content=content).get_signature_list()
    if not signatures:
        raise BadModel("the .tflite has no signature, which litert-quantizer needs",
                       "convert it again with a newer converter, or give the Keras model")
    name, ends = next(iter(sorted(signatures.items())))
    work = quantizer.Quantizer(content, recipe.static_wi8_ai8())
    ranges = work.calibrate({name: [{ends["inputs"][0]: sample[None]} for sample in x]},
                            num_threads=1)
    return bytes(work.quantize(ranges, enable_progress_report=False).quantized_model)
