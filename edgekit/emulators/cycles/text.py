"""What capstone's text of an Arm Thumb instruction says that its timing depends on."""

from __future__ import annotations

import re

CONDITIONS = frozenset("eq ne cs hs cc lo mi pl vs vc hi ls ge lt gt le al".split())
_LIST = re.compile(r"\{(.*)\}")
_ADDRESS = re.compile(r"\[([^\]]*)\]")
_RANGE = re.compile(r"([rsd])(\d+)-\1(\d+)")


def base_name(mnemonic: str, known) -> str:
    """The mnemonic without width, type and condition: 'ldrb.w' is ldrb, 'vmul.f32' vmul."""
    name = mnemonic.split(".")[0]
    if name not in known and name[-2:] in CONDITIONS and name[:-2] in known:
        return name[:-2]
    return name


def list_words(operands: str) -> int:
    """Words in a register list: '{r4-r7, lr}' and '{d8, d9}' are 5 and 4."""
    match = _LIST.search(operands)
    words = 0
    for part in match[1].split(",") if match else ():
        span = _RANGE.fullmatch(part.strip())
        registers = int(span[3]) - int(span[2]) + 1 if span else 1
        words += registers * (2 if part.strip().startswith("d") else 1)
    return words


def loads_pc(operands: str) -> bool:
    """Whether a register list, or the first operand, is the program counter."""
    match = _LIST.search(operands)
    if match:
        return "pc" in match[1]
    return operands.split(",")[0].strip() == "pc"


def target(operands: str) -> str:
    """The first operand: where a load or an operation puts its result."""
    return operands.split(",")[0].strip()


def address_registers(operands: str) -> set[str]:
    """The registers that an address is made of."""
    match = _ADDRESS.search(operands)
    return {part.strip().split(" ")[0] for part in match[1].split(",")} if match else set()


def indexed(operands: str) -> bool:
    """Whether an address has a register as its offset."""
    match = _ADDRESS.search(operands)
    return bool(match) and any(not part.strip().startswith(("#", "lsl"))
                               for part in match[1].split(",")[1:])
