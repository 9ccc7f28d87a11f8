"""Where templates/, boards/ and the like are: beside the package in a checkout, in it once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


# Declarations of TFLite Micro's API, to compile generated C++ against without its sources.
TFLM_DECLARATIONS = "tests/tflm_double/include"


def folder(name: str) -> Path:
    """The folder `templates`, `boards`, `examples` or TFLM_DECLARATIONS."""
    checkout = _PACKAGE.parent / name
    # The checkout wins: an editable install must see the edited files.
    if (_PACKAGE.parent / "pyproject.toml").is_file() and checkout.is_dir():
        return checkout
    return _PACKAGE / "data" / name
