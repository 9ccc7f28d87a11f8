"""From reset until the firmware is ready."""

from __future__ import annotations

from edgekit.emulators.memory_map import RETURN, STACK_TOP, THREAD
from edgekit.emulators.processor import Processor
from edgekit.errors import EmulationFault

READY = "edgekit_ready"
_LINUX_STACK = STACK_TOP - 0x1000  # above it are arguments and environment
_IRELATIVE = 1032  # R_AARCH64_IRELATIVE, ELF for the Arm 64-bit Architecture


def boot(processor: Processor, *, instructions: int, seconds: float) -> int:
    """Run from reset to `edgekit_ready`; gives the stack pointer to call functions with."""
    if not processor.board.memory:
        return _static_program(processor)
    ready = processor.program.symbol(READY)
    start = _reset(processor)
    reached = processor.run(start, ready, seconds=seconds, instructions=instructions)
    processor.uc.ctl_flush_tb()  # what was translated counts instructions
    if not reached:
        raise EmulationFault(_why(processor, instructions, seconds),
                             _printed(processor.transcript))
    return processor.uc.reg_read(processor.cpu.sp)


def _why(processor: Processor, instructions: int, seconds: float) -> str:
    at = processor.program.where(processor.pc)
    if processor.exit_code is not None:
        return f"the firmware ended with code {processor.exit_code} before {READY}, at pc {at}"
    return (f"the firmware did not reach {READY} within {instructions:,} instructions and "
            f"{seconds:g} s; it is at pc {at}")


def _printed(transcript: bytearray) -> str:
    last = transcript.decode(errors="replace").strip().splitlines()[-3:]
    return "it printed: " + " / ".join(last) if last else "it printed nothing"


def _reset(processor: Processor) -> int:
    """The first instruction; on a Cortex-M also SP, both from the vector table."""
    program, uc, cpu = processor.program, processor.uc, processor.cpu
    if cpu.family != "cortex-m":
        return program.entry
    table = program.symbols.get("vectors", program.section(".vectors", ".isr_vector"))
    if table is None:
        table = processor.board.memories("flash")[0].origin
    stack, handler = (int.from_bytes(uc.mem_read(table + at, 4), "little") for at in (0, 4))
    if not handler & 1:
        raise EmulationFault(
            f"the reset vector at 0x{table + 4:08x} is 0x{handler:08x}: not a Thumb address",
            "is the vector table first in flash?")
    uc.reg_write(cpu.sp, stack)
    return handler & ~1


def _static_program(processor: Processor) -> int:
    """A static Linux program without its main(): its IFUNCs resolved; gives its stack pointer."""
    import unicorn
    program, uc = processor.program, processor.uc
    r = unicorn.arm64_const
    uc.reg_write(r.UC_ARM64_REG_TPIDR_EL0, THREAD)
    uc.reg_write(r.UC_ARM64_REG_CPACR_EL1, 3 << 20)  # floating point is off after reset
    for place, kind, resolver in program.relocations():
        if kind == _IRELATIVE:
            processor.prepare(_LINUX_STACK)
            if not processor.run(resolver, RETURN, seconds=5):
                raise EmulationFault(f"an IFUNC did not resolve: {program.where(resolver)}")
            chosen = uc.reg_read(processor.cpu.argument)
            uc.mem_write(place, chosen.to_bytes(8, "little"))
    return _LINUX_STACK
