"""What one instruction, as capstone prints it, does to the stack pointer."""

from __future__ import annotations

import re

_CONDITION = "(?:eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)?"
_BRANCH = re.compile(
    r"(?:c\.)?(?:b|bl|bx|blx|bxns|blxns|br|blr|cbn?z|tbn?z|tb[bh]|svc|bkpt|udf|wfi|wfe|"
    r"j|jr|jal|jalr|ret|mret|ecall|ebreak|beqz?|bnez?|bltu?|bltz|bgeu?|bgez|blez|bgtz|"
    r"bgtu?|bleu?)" + _CONDITION + r"(?:\.\w+)?")
_PUSH = re.compile(r"(v?)(push|pop)(?:\.w)?")
_MULTIPLE = re.compile(r"sp!, \{(.*)\}")
_WRITEBACK = re.compile(r"\[sp, #(-?\w+)\]!|\[sp\], #(-?\w+)")
_IMMEDIATE = re.compile(r"sp, (?:sp, )?#?(-?(?:0x)?[0-9a-f]+)(?:, lsl #(\w+))?")
_READS_FIRST = re.compile(r"(?:c\.)?(?:str|st[mpl]|vst|sw|sd|s[bh]|cmp|cmn|tst)")


def ends_block(mnemonic: str, operands: str) -> bool:
    """Whether control may leave the straight line after this instruction."""
    return (_BRANCH.fullmatch(mnemonic) is not None
            or operands.startswith("pc") or operands.endswith("pc}"))


def lowering(mnemonic: str, operands: str) -> int | None:
    """Bytes by which SP becomes smaller (negative: larger), None where only a run tells."""
    if match := _PUSH.match(mnemonic):
        size = _registers(operands.strip("{}"))
        return size if match[2] == "push" else -size
    if "sp" not in operands:
        return 0
    if match := _MULTIPLE.match(operands):
        size = _registers(match[1])
        return size if mnemonic.startswith(("stm", "vstm")) else -size
    if match := _WRITEBACK.search(operands):
        return -int(match[1] or match[2], 0)
    if not operands.startswith("sp,") or _READS_FIRST.match(mnemonic):
        return 0
    match = _IMMEDIATE.fullmatch(operands)
    operation = mnemonic.removeprefix("c.")
    if match is None or not operation.startswith(("add", "sub")):
        return None
    amount = int(match[1], 0) << int(match[2] or "0", 0)
    return amount if operation.startswith("sub") else -amount


def _registers(text: str) -> int:
    """Bytes of a register list: 'r4, r5, lr' is 12, 'd8' is 8."""
    return sum(8 if name.strip().startswith("d") else 4 for name in text.split(","))
