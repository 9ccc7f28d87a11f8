"""Small firmware for the emulator's tests, built from tests/emulator/."""

from __future__ import annotations

from pathlib import Path

from conftest import require_module, require_tool

from edgekit import tools
from edgekit.board import Board, Cpu, Memory, Serial
from edgekit.firmware import Firmware

SOURCES = Path(__file__).parent / "emulator"
FLASH, RAM = 256 << 10, 64 << 10


def cortex_m(core: str = "cortex-m4") -> Board:
    return Board("test", "a test board", "mps2", "arm-none-eabi", ("cmake",), "cmake",
                 Cpu(core, "armv7e-m", 25_000_000),
                 (Memory("flash", "flash", 0, FLASH), Memory("ram", "ram", 0x2000_0000, RAM)),
                 serial=Serial("uart0", 0x4000_4000))


RISCV = Board("test", "a test board", "qemu_riscv32", "riscv32-unknown-elf", ("cmake",), "cmake",
              Cpu("rv32", "rv32imc", 100_000_000),
              (Memory("flash", "flash", 0x8000_0000, FLASH),
               Memory("ram", "ram", 0x8040_0000, RAM)),
              serial=Serial("ns16550", 0x1000_0000))
PI = Board("test", "a Linux board", "linux", "aarch64-linux-gnu", ("cmake",), "cmake",
           Cpu("cortex-a72", "armv8-a", 1_500_000_000))

MAP = {
    "schema": "edgekit.map", "name": "m", "model_sha256": "00" * 32,
    "arena": {"symbol": "m_arena", "size": 64},
    "inputs": [{"tensor": 0, "name": "x", "offset": 0, "bytes": 8}],
    "outputs": [{"tensor": 3, "name": "y", "offset": 32, "bytes": 8}],
    "ops": [
        {"index": 0, "kind": "MUL", "symbol": "m_op_00",
         "outputs": [{"tensor": 1, "name": "a", "offset": 16, "bytes": 8}]},
        {"index": 1, "kind": "SUM", "symbol": "m_op_01",
         "outputs": [{"tensor": 2, "name": "b", "offset": 24, "bytes": 1}]},
        {"index": 2, "kind": "RESHAPE", "symbol": None, "outputs": []},
        {"index": 3, "kind": "ADD", "symbol": "m_op_02",
         "outputs": [{"tensor": 3, "name": "y", "offset": 32, "bytes": 8}]},
    ],
}
_WEIGHTS = (3, -1, 4, -1, 5, -9, 2, -6)


def expected(inputs: bytes) -> tuple[bytes, bytes, bytes]:
    """What the ops of model.c give: the outputs of ops 0, 1 and 3."""
    x = [b - 256 if b > 127 else b for b in inputs]
    a = [max(-128, min(127, i * w)) for i, w in zip(x, _WEIGHTS, strict=True)]
    v = [a[i] + a[i + 4] for i in range(4)]
    # deep() hands its copy on: frame[0] is v[0] on each of four levels.
    b = max(-128, min(127, 4 * v[0]))
    y = [(b - value if value < 0 else value) & 255 for value in a]
    return bytes(value & 255 for value in a), bytes([b & 255]), bytes(y)


def build(folder: Path, board: Board, *defines: str, optimize: str = "-O2",
          rounds: int = 1) -> Firmware:
    """Compile and link model.c with the start-up of the board's architecture."""
    require_module("unicorn")
    require_module("capstone")
    require_module("elftools")
    elf = folder / "firmware.elf"
    if board.toolchain == "arm-none-eabi":
        compiler = require_tool("arm-none-eabi-gcc")
        flags = [f"-mcpu={board.cpu.core}", "-mthumb", "cortexm.c"]
    elif board.port == "linux":
        compiler, flags = require_tool("aarch64-linux-gnu-gcc"), ["-static", "linux.c"]
    else:
        compiler = require_tool("riscv64-unknown-elf-gcc")
        flags = ["-march=rv32imc", "-mabi=ilp32", "-Wl,-e,_start",
                 f"-DUART={board.serial.base:#x}u", "riscv.c"]
    if board.memory:
        script = (SOURCES / "link.ld").read_text(encoding="utf-8")
        script = script.replace("FLASH_ORIGIN", hex(board.memory[0].origin))
        (folder / "link.ld").write_text(script.replace("RAM_ORIGIN", hex(board.memory[1].origin)),
                                        encoding="utf-8")
        flags += ["-nostdlib", "-ffreestanding", f"-T{folder / 'link.ld'}", "-lgcc"]
    libraries = [flag for flag in flags if flag == "-lgcc"]
    done = tools.run([compiler, optimize, "-g", "-std=gnu11", f"-DROUNDS={rounds}",
                      *(f"-D{define}" for define in defines), "model.c",
                      *(flag for flag in flags if flag not in libraries), *libraries,
                      "-o", str(elf)], cwd=SOURCES)
    assert done.returncode == 0, done.stderr.decode()
    return Firmware(elf, compiler, 0, 0, 0)
