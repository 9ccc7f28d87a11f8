"""Firmware as it is in QEMU: outputs, exact instructions, peak stack.

QEMU runs beside this process, halted between inferences: its GDB stub puts inputs into the
arena, sets the registers for a call and reads outputs. Instructions are counted by a plugin.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from edgekit.board import Board
from edgekit.emulators import qemu_counter, qemu_machines
from edgekit.emulators.boot import READY
from edgekit.emulators.elf import Program
from edgekit.emulators.gdb_client import GdbClient
from edgekit.emulators.qemu_ops import entries, op_counts, ranges
from edgekit.emulators.stack_paint import PAINT, painted_peak, stack_section
from edgekit.errors import BadData, EdgekitError, EmulationFault
from edgekit.firmware import Firmware
from edgekit.link import Hello, Inference
from edgekit.tools import Pipe

RUN_SECONDS = 120.0
_PAINTED = 64 << 10  # bytes, of a stack without limit


@contextmanager
def open_qemu(firmware: Firmware, board: Board, map: Mapping[str, object], *,
              seconds: float = RUN_SECONDS) -> Iterator[QemuMachine]:
    """Boot `firmware` in QEMU; `map` is its model's NAME.map.json.

    `seconds` bounds the boot and every inference. Raises UsageError where QEMU has no such
    machine, NotThere without QEMU or a host compiler, EmulationFault for what goes wrong.
    """
    name = qemu_machines.program(board)
    with tempfile.TemporaryDirectory(prefix="edgekit-qemu-") as folder, \
            closing(Program(firmware.elf)) as program:
        root = Path(folder)
        serial, shared = root / "serial", root / "shared"
        with closing(qemu_counter.Counter(shared, ranges(program, map))) as counter:
            plugin = qemu_counter.build(root, qemu_machines.path(name))
            command = qemu_machines.command(board, firmware.elf, serial, plugin, shared)
            with closing(Pipe(command, root / "errors")) as pipe:
                try:
                    gdb = GdbClient(pipe, qemu_machines.registers(board))
                    machine = QemuMachine(gdb, program, board, map, counter, serial, seconds)
                    machine.boot()
                except EdgekitError as error:
                    said = (root / "errors").read_text(errors="replace").strip()
                    raise EmulationFault(error.message, said or error.hint) from error
                yield machine


class QemuMachine:
    """A `Link` to firmware in QEMU. Peak stack is what was written: it is painted before.

    `boot_stack` is that of the first inference and what called it, before `edgekit_ready`.
    """

    def __init__(self, gdb: GdbClient, program: Program, board: Board, map: Mapping[str, object],
                 counter: qemu_counter.Counter, serial: Path, seconds: float):
        self._gdb, self._program, self._map = gdb, program, map
        self._counter, self._serial, self._seconds = counter, serial, seconds
        self._registers = qemu_machines.registers(board)
        self._thumb = board.cpu.core.startswith("cortex-m")
        self._name: str = map["name"]
        self._ready = program.symbol(READY)
        self._inputs: tuple[bytes, ...] | None = None
        self._addresses: dict[tuple[str, int], int] = {}

    def boot(self) -> None:
        """From reset to `edgekit_ready`, where the machine stays halted between calls."""
        stack = stack_section(self._program)
        if stack:
            self._gdb.write(stack[0], PAINT * (stack[1] - stack[0]))
        self._gdb.set_breakpoints(self._ready)
        self._run_to(self._ready, READY)
        self._stack = self._gdb.register(self._registers.sp)
        self.boot_stack = self._peak((stack[0], self._stack - stack[0])) if stack else 0

    def word(self, symbol: str) -> int:
        """A 32-bit variable of the firmware (the low half of a longer one)."""
        return int.from_bytes(self._gdb.read(self._program.symbol(symbol), 4), "little")

    @property
    def transcript(self) -> str:
        """What the firmware printed on its UART."""
        return self._serial.read_text(errors="replace") if self._serial.exists() else ""

    def hello(self) -> Hello:
        return Hello("qemu", self._map["model_sha256"],
                     tuple(t["bytes"] for t in self._map["inputs"]),
                     tuple(t["bytes"] for t in self._map["outputs"]))

    def load(self, inputs: tuple[bytes, ...]) -> None:
        """Keep one sample; it goes into the arena with each run, which may overwrite it."""
        wanted = self.hello().input_bytes
        if tuple(map(len, inputs)) != wanted:
            raise BadData(f"inputs of {tuple(map(len, inputs))} bytes; the model takes {wanted}")
        self._inputs = tuple(map(bytes, inputs))

    def infer(self, *, count: bool = False) -> Inference:
        self._write_inputs()
        if not count:
            self._invoke()
            return Inference(self._outputs())
        painted = self._paint()
        self._counter.forget()
        before = self._counter.count
        self._invoke()
        after = self._counter.count
        ops = op_counts(self._program, self._map, self._counter.noted(), after)
        return Inference(self._outputs(), after - before, ops, self._peak(painted))

    def cycles(self) -> None:
        """Not known: they are modelled from blocks and taken branches, which are not counted."""

    def layers(self) -> tuple[bytes | None, ...]:
        """Runs from operator to operator: a breakpoint at each entry, one where it returns to."""
        found: list[bytes | None] = [None] * len(self._map["ops"])
        waiting = entries(self._program, self._map)
        self._write_inputs()
        self._prepare(self._program.symbol(f"{self._name}_invoke"))
        try:
            self._walk(waiting, found)
        finally:
            self._gdb.set_breakpoints(self._ready)
        self._require_success()
        return tuple(found)

    def _walk(self, waiting: dict[int, list[int]], found: list[bytes | None]) -> None:
        at = 0
        while at != self._ready:
            self._gdb.set_breakpoints(self._ready, *(a for a, ops in waiting.items() if ops))
            at = self._stop(f"{self._name}_invoke")
            if at in waiting:
                index = waiting[at].pop(0)
                op = self._map["ops"][index]
                at = self._gdb.register(self._registers.lr) & (~1 if self._thumb else ~0)
                # Not the breakpoint it stands at: a target may stop there again at once.
                self._gdb.set_breakpoints(self._ready, at)
                self._run_to(at, op["symbol"])
                found[index] = b"".join(self._read(t) for t in op["outputs"])

    def _invoke(self) -> None:
        self._prepare(self._program.symbol(f"{self._name}_invoke"))
        self._run_to(self._ready, f"{self._name}_invoke")
        self._require_success()

    def _require_success(self) -> None:
        status = self._gdb.register(self._registers.argument) & 0xFFFF_FFFF
        if status:
            raise EmulationFault(f"{self._name}_invoke returned {status - (status >> 31 << 32)}")

    def _prepare(self, function: int, argument: int = 0) -> None:
        """Registers for a call that returns to where the machine is halted."""
        gdb, registers = self._gdb, self._registers
        gdb.set_register(registers.sp, self._stack)
        gdb.set_register(registers.lr, self._ready | self._thumb)
        gdb.set_register(registers.argument, argument)
        gdb.set_register(registers.pc, function)

    def _stop(self, function: str) -> int:
        """Run to the next breakpoint; its address."""
        if not self._gdb.go(self._seconds):
            pc = self._gdb.register(self._registers.pc)
            raise EmulationFault(f"{function} took more than {self._seconds:g} s; it is at pc "
                                 f"{self._program.where(pc)}")
        return self._gdb.register(self._registers.pc)

    def _run_to(self, address: int, function: str) -> None:
        at = self._stop(function)
        if at != address:
            raise EmulationFault(f"it stopped at pc {self._program.where(at)}, on the way through "
                                 f"{function}")

    def _paint(self) -> tuple[int, int]:
        """Fill the unused stack; its (address, bytes)."""
        limit = self._program.symbols.get("__stack_limit", self._stack - _PAINTED)
        start = max(limit, self._stack - _PAINTED)
        self._gdb.write(start, PAINT * (self._stack - start))
        return start, self._stack - start

    def _peak(self, painted: tuple[int, int]) -> int:
        return painted_peak(self._gdb.read(*painted))

    def _write_inputs(self) -> None:
        if self._inputs is None:
            raise BadData("no sample is loaded", "call load() first")
        for index, (tensor, data) in enumerate(zip(self._map["inputs"], self._inputs, strict=True)):
            self._gdb.write(self._address(tensor, "input", index), data)

    def _outputs(self) -> tuple[bytes, ...]:
        return tuple(self._read(tensor, "output", index)
                     for index, tensor in enumerate(self._map["outputs"]))

    def _read(self, tensor: Mapping, role: str = "", index: int = 0) -> bytes:
        return self._gdb.read(self._address(tensor, role, index), tensor["bytes"])

    def _address(self, tensor: Mapping, role: str, index: int) -> int:
        """In the arena by the map's offset; where it has none, the firmware is asked."""
        if tensor["offset"] is not None:
            return self._program.symbol(self._map["arena"]["symbol"]) + tensor["offset"]
        if (role, index) not in self._addresses:
            function = f"{self._name}_{role}_at"
            self._prepare(self._program.symbol(function), index)
            self._run_to(self._ready, function)
            self._addresses[role, index] = self._gdb.register(self._registers.argument)
        return self._addresses[role, index]
