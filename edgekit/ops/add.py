"""ADD: output = activation(input1 + input2), broadcasting."""

from __future__ import annotations

from functools import partial

from edgekit.ops import elementwise, sums
from edgekit.ops.base import no_macs

CODE, OPTIONS_TYPE, VERSIONS = 0, 11, range(1, 6)
INPUTS = (2, 2)
Options, CONSTRAINTS = sums.Options, sums.CONSTRAINTS
shapes, macs = elementwise.shapes, no_macs

reference, lower = partial(sums.reference, 1), partial(sums.lower, 1)
