"""pytest's fixture for firmware: a model, built for a board and run on the emulated board.

    def test_the_firmware_is_the_model(edgekit_firmware):
        firmware = edgekit_firmware("model.tflite", "nucleo_l4r5zi")
        firmware.validate()
        assert firmware.profile()["ram"]["total"] < 64_000
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edgekit.errors import NotThere


class EmulatedFirmware:
    """One model or project folder on one board; what is asked twice is built and run once.

    Keyword arguments of edgekit.validate and profile may be given: runtime, engine, toolchain,
    optimize.
    """

    def __init__(self, source, board: str | None, options: dict):
        self._source, self._board, self._options = source, board, options
        self._profile: dict | None = None

    def __call__(self, x) -> np.ndarray | tuple[np.ndarray, ...]:
        """What the firmware computes; x: (samples, ...), float is quantized by the model's scale.

        Returns integers as the device has them, (samples, ...); a tuple where there are more
        outputs than one.
        """
        from edgekit.pipeline import emulate
        outputs, _ = emulate(self._source, self._board, input=x, **self._options)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def validate(self, data=None, samples: int | None = None) -> dict:
        """The document of edgekit.validate; Mismatch, which fails the test, where a byte differs."""
        from edgekit.pipeline import require_ok, validate
        verdict = validate(self._source, self._board, data=data, count=samples, **self._options)
        require_ok(verdict)
        return verdict

    def profile(self) -> dict:
        """The document of edgekit.profile: flash, ram, time, ops."""
        if self._profile is None:
            from edgekit.pipeline import profile
            self._profile = profile(self._source, self._board, **{"runtime": "aot"} | self._options)
        return self._profile


@pytest.fixture(scope="session")
def edgekit_firmware():
    """A function (source, board, **options) -> EmulatedFirmware, the same one for the same call."""
    made: dict[tuple, EmulatedFirmware] = {}

    def firmware(source, board: str | None = None, **options) -> EmulatedFirmware:
        key = (str(source), board, *sorted(options.items()))
        if key not in made:
            made[key] = EmulatedFirmware(
                Path(source) if isinstance(source, str) else source, board, options)
        return made[key]

    return firmware


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """A missing compiler or emulator skips a test that asked for firmware, by its name.

    With EDGEKIT_REQUIRE_TOOLS=1, as in a CI that must not skip, it fails.
    """
    try:
        return (yield)
    except NotThere as missing:
        if "edgekit_firmware" not in item.fixturenames or \
                os.environ.get("EDGEKIT_REQUIRE_TOOLS") == "1":
            raise
        pytest.skip(f"{missing.message} ({missing.hint})")
