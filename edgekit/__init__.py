"""edgekit: from a trained model to firmware whose numbers are proven on the PC.

The commands as functions. They are imported when first used, so that `import edgekit` is cheap.
"""

from __future__ import annotations

import importlib

from edgekit.version import __version__

_VERBS = {
    "boards": "pipeline", "build": "pipeline", "check": "pipeline", "emulate": "pipeline",
    "generate": "pipeline", "inspect": "pipeline", "profile": "pipeline", "validate": "pipeline",
    "flash": "flashing", "ports": "port_list",
    "compare": "comparison", "doctor": "diagnosis", "load_model": "model", "load_board": "board",
    "prune": "compress.methods", "finetune": "compress.finetune", "quantize": "compress.quantize",
    "fit": "fitting",
}
__all__ = ["__version__", *_VERBS]


def __getattr__(name: str):
    if name not in _VERBS:
        raise AttributeError(f"module 'edgekit' has no attribute '{name}'")
    return getattr(importlib.import_module(f"edgekit.{_VERBS[name]}"), name)
