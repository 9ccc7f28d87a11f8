"""Cortex-M0+ instruction timing: Arm, Cortex-M0+ technical reference manual, DDI 0484, table 3-1.

With the single-cycle multiplier and no single-cycle I/O port for memory, as in the RP2040.
"""

from __future__ import annotations

from edgekit.emulators.code_table import Instruction
from edgekit.emulators.cycles import text
from edgekit.emulators.cycles.cost import Cost, by_name

_ONE = Cost(1, 1)
_TAKEN = {"b": 1, "bx": 1, "blx": 1, "bl": 2}
_LISTS = frozenset("ldm ldmia stm stmia push pop".split())
_COSTS = by_name({"ldr ldrb ldrh ldrsb ldrsh str strb strh": (2, 2),
                  "mrs msr dsb dmb isb": (3, 3)})
_KNOWN = set(_TAKEN) | _LISTS | set(_COSTS)


def cortex_m0plus(this: Instruction, before: Instruction | None) -> Cost:
    """B, BX, BLX and writes of the PC take two cycles, BL three, a POP of the PC 3 + N."""
    name = text.base_name(this.mnemonic, _KNOWN)
    if name in _TAKEN:
        return Cost(1, 1, (_TAKEN[name],) * 2)
    if name in _LISTS:
        words = 1 + text.list_words(this.operands)
        return Cost(words, words, (2, 2) if text.loads_pc(this.operands) else (0, 0))
    if text.target(this.operands) == "pc":
        return Cost(1, 1, (1, 1))
    return _COSTS.get(name, _ONE)
