"""Fixtures and the words by which a test says what it needs."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from edgekit import tools

REQUIRE_TOOLS = os.environ.get("EDGEKIT_REQUIRE_TOOLS") == "1"


def pytest_addoption(parser):
    group = parser.getgroup("hardware", "a board on this desk, for tests/hardware")
    group.addoption("--board", help="its name in edgekit boards")
    group.addoption("--port", help="its serial port, as /dev/ttyACM0")
    group.addoption("--flash-port", help="where its flasher looks, if that is another place")


def pytest_collection_modifyitems(items):
    """Tests marked slow repeat on more cores, or longer, what a quick one shows."""
    if REQUIRE_TOOLS:
        return
    skip = pytest.mark.skip(reason="slow: runs with EDGEKIT_REQUIRE_TOOLS=1, as in .ci/run")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(skip)


def _missing(what: str) -> None:
    if REQUIRE_TOOLS:
        pytest.fail(f"{what} is not there, and EDGEKIT_REQUIRE_TOOLS=1 asks for it", pytrace=False)
    pytest.skip(f"{what} is not there")


def require_tool(program: str) -> str:
    """The program's path; skips (or fails, see above) by its name."""
    return tools.find(program) or _missing(program)


def require_module(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        _missing(f"the Python package {name}")


def require_models() -> Path:
    """The folder of public models."""
    folder = os.environ.get("EDGEKIT_MODELS", "")
    if not folder or not Path(folder).is_dir():
        _missing("EDGEKIT_MODELS")
    return Path(folder)
