"""Cortex-M3 and Cortex-M4 instruction timing.

Arm, Cortex-M3 (DDI 0337, 3.3.2 and 3.3.3) and Cortex-M4 (DDI 0439, 3.3.1 to 3.3.3 and 7.2.3)
technical reference manuals. What they leave open becomes a range: P, the cycles of a pipeline
refill, is 1 to 3; loads behind a load are "pipelined when possible"; a division ends early; an
IT behind a 16-bit instruction may be folded into it.
"""

from __future__ import annotations

import re

from edgekit.emulators.code_table import Instruction
from edgekit.emulators.cycles import text
from edgekit.emulators.cycles.cost import Cost, Timing, by_name

REFILL = (1, 3)
NONE = (0, 0)
_ONE = Cost(1, 1)
_IT = re.compile("it[te]{0,3}")
_BRANCHES = frozenset("b bl bx blx cbz cbnz bxns blxns".split())
_LOADS = frozenset("ldr ldrb ldrh ldrsb ldrsh ldrt ldrbt ldrht ldrsbt ldrsht".split())
_STORES = frozenset("str strb strh strt strbt strht".split())
_LISTS = frozenset("ldm ldmia ldmdb stm stmia stmdb push pop vldmia vldmdb vstmia vstmdb "
                   "vpush vpop".split())
_COMMON = {
    "udiv sdiv": (2, 12), "ldrd strd": (3, 3), "dsb dmb isb": (1, 2), "mrs msr": (1, 2),
    "ldrex ldrexb ldrexh strex strexb strexh": (2, 2),
}
M3_COSTS = by_name(_COMMON | {
    "mla mls": (2, 2), "smull umull": (3, 5), "smlal umlal": (4, 7)})
# The M4's multiplier does all of its instructions in one cycle; floating point is table 7-1.
M4_COSTS = by_name(_COMMON | {
    "vdiv vsqrt": (14, 14), "vmla vmls vnmla vnmls vfma vfms vfnma vfnms": (3, 3),
    "vldr vstr": (2, 2)})


def timing(costs: dict[str, Cost]) -> Timing:
    """The timing of a core by its table of exceptions from one cycle."""
    known = _BRANCHES | _LOADS | _STORES | _LISTS | set(costs) | {"tbb", "tbh"}

    def cost(this: Instruction, before: Instruction | None) -> Cost:
        name = text.base_name(this.mnemonic, known)
        if name in _BRANCHES:
            return Cost(1, 1, REFILL)
        if name in ("tbb", "tbh"):
            return Cost(2, 2, REFILL)
        if name in _LISTS:
            words = 1 + text.list_words(this.operands)
            return Cost(words, words, REFILL if text.loads_pc(this.operands) else NONE)
        if name in _LOADS or name in _STORES:
            return _access(name, this, before, known)
        if text.target(this.operands) == "pc":
            return Cost(1, 1, REFILL)
        if _IT.fullmatch(name):
            return Cost(0 if _next_to(before, this) and before.size == 2 else 1, 1)
        return costs.get(name, _ONE)

    return cost


def _next_to(before: Instruction | None, this: Instruction) -> bool:
    return before is not None and before.address + before.size == this.address


def _access(name: str, this: Instruction, before: Instruction | None, known) -> Cost:
    """Two cycles; at best one less behind a load whose result is not this one's address.

    A store whose address needs no second register is always one: it is buffered.
    """
    if name in _STORES and not text.indexed(this.operands):
        return _ONE
    follows = (_next_to(before, this) and text.base_name(before.mnemonic, known) in _LOADS
               and text.target(before.operands) not in text.address_registers(this.operands))
    if name in _LOADS and text.target(this.operands) == "pc":
        return Cost(2, 2, REFILL)
    return Cost(1 if follows else 2, 2)


CORTEX_M3 = timing(M3_COSTS)
CORTEX_M4 = timing(M4_COSTS)
