"""A Link to emulated firmware: its functions are called, its memory is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgekit.emulators.alignment import CORES, AlignmentCheck, AlignmentStop
from edgekit.emulators.boot import boot
from edgekit.emulators.code_table import CodeTable
from edgekit.emulators.counting import Counter, NativeCounter, PythonCounter
from edgekit.emulators.cycles.cores import CycleModel, model_of
from edgekit.emulators.cycles.flash_model import flash_model
from edgekit.emulators.cycles.measure import CycleMeter, Cycles, OpCycles
from edgekit.emulators.cycles.tracer import Tracer
from edgekit.emulators.memory_map import RETURN
from edgekit.emulators.op_trace import OpTrace
from edgekit.emulators.processor import Processor
from edgekit.emulators.stack_paint import PAINT, painted_peak, stack_section
from edgekit.errors import BadData, EdgekitError, EmulationFault
from edgekit.link import Hello, Inference

BOOT_INSTRUCTIONS = 4_000_000_000
Meter = Counter | Tracer | AlignmentCheck  # told where a run begins and ends
Tool = Meter | OpTrace | AlignmentStop


class Machine:
    """A `Link` to emulated firmware.

    After a counted inference `peak_at` says where the stack was deepest: function and line.
    """

    def __init__(self, processor: Processor, map: Mapping[str, object], seconds: float,
                 native_counter: bool):
        self._processor, self._map, self._seconds = processor, map, seconds
        self._name: str = map["name"]
        self._native = native_counter and NativeCounter.available()
        self._check_alignment = processor.board.cpu.core in CORES
        self._tools: list[Tool] = []
        self._table: CodeTable | None = None
        self._counter: Counter | None = None
        self._meter: CycleMeter | None = None
        self._symbols = [op["symbol"] for op in map["ops"]]
        self._trace = OpTrace(processor, self._symbols)
        self._inputs: tuple[bytes, ...] | None = None
        self._addresses: dict[tuple[str, int], int] = {}
        self._boot_stack = 0
        self.peak_at: str | None = None

    def boot(self, instructions: int = BOOT_INSTRUCTIONS) -> None:
        """From reset to `edgekit_ready`."""
        stack = stack_section(self._processor.program)
        uc = self._processor.uc
        if stack:
            uc.mem_write(stack[0], PAINT * (stack[1] - stack[0]))
        self._stack = boot(self._processor, instructions=instructions, seconds=self._seconds)
        self._boot_stack = painted_peak(bytes(uc.mem_read(stack[0], self._stack - stack[0]))
                                        ) if stack else 0

    @property
    def boot_stack(self) -> int:
        """Bytes of stack that the first inference, and what called it before `edgekit_ready`,
        wrote; 0 where the firmware has no .stack section of ours."""
        return self._boot_stack

    def word(self, symbol: str) -> int:
        """A 32-bit variable of the firmware (the low half of a longer one)."""
        address = self._processor.program.symbol(symbol)
        return int.from_bytes(self._processor.uc.mem_read(address, 4), "little")

    @property
    def transcript(self) -> str:
        """What the firmware printed, on its UART and by semihosting."""
        return self._processor.transcript.decode(errors="replace")

    def hello(self) -> Hello:
        return Hello("unicorn", self._map["model_sha256"],
                     tuple(t["bytes"] for t in self._map["inputs"]),
                     tuple(t["bytes"] for t in self._map["outputs"]))

    def load(self, inputs: tuple[bytes, ...]) -> None:
        """Keep one sample; it goes into the arena with each run, which may overwrite it."""
        wanted = self.hello().input_bytes
        if tuple(map(len, inputs)) != wanted:
            raise BadData(f"inputs of {tuple(map(len, inputs))} bytes; the model takes {wanted}")
        self._inputs = tuple(map(bytes, inputs))
        self._write_inputs()

    def infer(self, *, count: bool = False) -> Inference:
        if self._check_alignment:
            self._require_aligned()
        if not count:
            self._use()
            self._invoke()
            return Inference(self._outputs())
        while True:
            counter = self._counting()
            self._use(self._trace, counter)
            inference = self._counted(counter)
            if not counter.complete:  # code outside the table: count it in Python
                self._native, self._counter = False, None
            elif not self._trace.learnt():
                return inference

    def _require_aligned(self) -> None:
        """The first inference on a core that stops at unaligned accesses: EmulationFault at one."""
        check = AlignmentCheck(self._processor, self._native)
        self._use(check)
        self._invoke(check)
        if check.state.seen:
            self._use(AlignmentStop(self._processor, check.state))
            self._invoke()
        self._check_alignment = False

    def layers(self) -> tuple[bytes | None, ...]:
        while True:
            found: list[bytes | None] = [None] * len(self._symbols)

            def keep(op: int, found=found) -> None:
                found[op] = b"".join(self._read(t) for t in self._map["ops"][op]["outputs"])

            self._use(self._trace)
            self._traced(lambda op: None, keep)
            if not self._trace.learnt():
                return tuple(found)

    def cycles(self) -> Cycles | None:
        """Modelled cycles of the loaded sample, flash caches warm; None without a model."""
        model = model_of(self._processor.board)
        if model is None:
            return None
        meter = self._metering(model)
        while True:
            ops = OpCycles(meter, len(self._symbols))
            self._use(self._trace, meter.tracer)
            if meter.warms_up:
                self._traced(lambda op: None, lambda op: None, meter.tracer)
            self._traced(ops.entered, ops.left, meter.tracer)
            if not meter.tracer.complete:
                return None
            if not self._trace.learnt():
                traced = any(symbol is not None for symbol in self._symbols)
                return Cycles(meter.rounded(meter.so_far()), ops.ranges if traced else ())

    def _metering(self, model: CycleModel) -> CycleMeter:
        if self._meter is None:
            processor = self._processor
            self._table = self._table or CodeTable(processor.program, processor.cpu)
            entry = processor.program.symbol(f"{self._name}_invoke")
            self._meter = CycleMeter(processor, entry, self._table, model,
                                     flash_model(processor.board), self._native)
        return self._meter

    def _counted(self, counter: Counter) -> Inference:
        begun: dict[int, int] = {}
        ops = [0] * len(self._symbols)

        def entered(op: int) -> None:
            begun[op] = counter.before

        def left(op: int) -> None:
            ops[op] = counter.before - begun[op]

        self._traced(entered, left, counter)
        total, (lowest, at) = counter.total, counter.lowest
        peak = max(0, self._stack - lowest)
        self.peak_at = self._processor.program.where(at) if peak else None
        traced = any(symbol is not None for symbol in self._symbols)
        return Inference(self._outputs(), total, tuple(ops) if traced else (), peak)

    def _traced(self, entered: Callable[[int], None], left: Callable[[int], None],
                counter: Meter | None = None) -> None:
        self._trace.begin(entered, left)
        self._invoke(counter)
        self._trace.end()

    def _counting(self) -> Counter:
        if self._counter is None:
            self._table = self._table or CodeTable(self._processor.program, self._processor.cpu)
            kind = NativeCounter if self._native else PythonCounter
            self._counter = kind(self._processor, self._table)
        return self._counter

    def _use(self, *tools: Tool) -> None:
        """Have these hooks and no others: a run without any is at unicorn's own speed."""
        if self._tools != list(tools):
            for tool in self._tools:
                tool.remove()
            for tool in tools:
                tool.install()
            self._tools = list(tools)

    def _invoke(self, counter: Meter | None = None) -> None:
        if self._inputs is None:
            raise BadData("no sample is loaded", "call load() first")
        self._write_inputs()
        if counter:
            counter.reset()
        status = self._call(f"{self._name}_invoke") & 0xFFFF_FFFF
        if counter:
            counter.settle()
        if status:
            raise EmulationFault(f"{self._name}_invoke returned {status - (status >> 31 << 32)}")

    def _call(self, function: str, argument: int = 0) -> int:
        """Call a function of the firmware; its result as an unsigned word."""
        processor = self._processor
        processor.prepare(self._stack, argument)
        if not processor.run(processor.program.symbol(function), RETURN, seconds=self._seconds):
            raise EmulationFault(f"{function} did not return within {self._seconds:g} s; "
                                 f"it is at pc {processor.program.where(processor.pc)}")
        return processor.uc.reg_read(processor.cpu.argument)

    def _write_inputs(self) -> None:
        for index, (tensor, data) in enumerate(zip(self._map["inputs"], self._inputs, strict=True)):
            self._processor.uc.mem_write(self._address(tensor, "input", index), data)

    def _outputs(self) -> tuple[bytes, ...]:
        return tuple(self._read(tensor, "output", index)
                     for index, tensor in enumerate(self._map["outputs"]))

    def _read(self, tensor: Mapping, role: str = "", index: int = 0) -> bytes:
        address = self._address(tensor, role, index)
        return bytes(self._processor.uc.mem_read(address, tensor["bytes"]))

    def _address(self, tensor: Mapping, role: str, index: int) -> int:
        """In the arena by the map's offset; where it has none, the firmware is asked."""
        if tensor["offset"] is not None:
            return self._processor.program.symbol(self._map["arena"]["symbol"]) + tensor["offset"]
        if (role, index) not in self._addresses:
            self._addresses[role, index] = self._ask_address(role, index)
        return self._addresses[role, index]

    def _ask_address(self, role: str, index: int) -> int:
        symbols = self._processor.program.symbols
        name = f"{self._name}_{role}_at"
        if name not in symbols and index == 0:
            name = f"{self._name}_{role}"
        if name not in symbols:
            raise EdgekitError(f"the firmware has no function {name}, and the map no offset")
        return self._call(name, index)
