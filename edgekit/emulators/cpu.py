"""What unicorn and capstone call each processor, and the registers of its calling convention."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.errors import NotThere, UsageError

HINT = "pip install 'edgekit[emulator]'; on a machine without a unicorn wheel use --engine qemu"


@dataclass(frozen=True, slots=True)
class CpuModel:
    """unicorn's and capstone's constants; `word` is a pointer's size in bytes."""

    family: str
    architecture: int
    mode: int
    model: int
    pc: int
    sp: int
    lr: int
    argument: int
    word: int
    disassembler: tuple[int, int]
    zero: int = 0  # RISC-V: x0, from which the others follow in order


_CORTEX_M = {"cortex-m0": "M0", "cortex-m0plus": "M0", "cortex-m3": "M3", "cortex-m4": "M4",
             "cortex-m7": "M7", "cortex-m33": "M33"}
_CORTEX_A = {"cortex-a53": "A53", "cortex-a72": "A72", "cortex-a76": "MAX"}


def cpu_model(core: str, isa: str) -> CpuModel:
    """The model of `cpu.core` and `cpu.isa`; UsageError where unicorn has none."""
    try:
        import capstone
        import unicorn
    except ImportError as error:
        raise NotThere(f"the Python package {error.name} is not there", HINT) from error
    if core in _CORTEX_M:
        r = unicorn.arm_const
        return CpuModel(
            "cortex-m", unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS,
            getattr(r, f"UC_CPU_ARM_CORTEX_{_CORTEX_M[core]}"), r.UC_ARM_REG_PC, r.UC_ARM_REG_SP,
            r.UC_ARM_REG_LR, r.UC_ARM_REG_R0, 4,
            (capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS
             | (capstone.CS_MODE_V8 if core == "cortex-m33" else 0)))
    if isa.startswith("rv32"):
        r = unicorn.riscv_const
        # E31 is RV32IMAC: floating-point instructions trap on it, as on an ESP32-C3.
        model = (r.UC_CPU_RISCV32_ANY if set("fdg") & set(isa[4:].split("_")[0])
                 else r.UC_CPU_RISCV32_SIFIVE_E31)
        return CpuModel(
            "riscv", unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV32, model, r.UC_RISCV_REG_PC,
            r.UC_RISCV_REG_SP, r.UC_RISCV_REG_RA, r.UC_RISCV_REG_A0, 4,
            (capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC),
            r.UC_RISCV_REG_X0)
    if core in _CORTEX_A and isa.startswith(("armv8", "aarch64")):
        r = unicorn.arm64_const
        return CpuModel(
            "aarch64", unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM,
            getattr(r, f"UC_CPU_ARM64_{_CORTEX_A[core]}"), r.UC_ARM64_REG_PC, r.UC_ARM64_REG_SP,
            r.UC_ARM64_REG_X30, r.UC_ARM64_REG_X0, 8,
            (capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM))
    raise UsageError(f"unicorn has no model of {core} ({isa})",
                     f"it has {', '.join([*_CORTEX_M, *_CORTEX_A])} and RV32; try --engine qemu")
