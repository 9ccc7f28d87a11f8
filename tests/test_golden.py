"""The same input gives the same project, to the byte."""

from __future__ import annotations

import json

import golden


def test_projects_are_the_ones_that_were_reviewed():
    """After a change you meant: `make golden`, then look at the difference."""
    assert golden.digests() == json.loads(golden.FILE.read_text())
