"""Firmware as it is on an emulated processor: outputs, exact instructions, stack and faults.

`open_machine` boots the ELF that a board would run, from its reset vector until the model is
in memory, and then calls the model's functions. unicorn is under the GPL: it is an optional
package, imported when a machine is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from edgekit.board import Board
from edgekit.emulators.cpu import cpu_model
from edgekit.emulators.elf import Program
from edgekit.emulators.machine import BOOT_INSTRUCTIONS, Machine
from edgekit.emulators.processor import Processor
from edgekit.errors import UsageError
from edgekit.firmware import Firmware

RUN_SECONDS = 120.0


@contextmanager
def open_machine(firmware: Firmware, board: Board, map: Mapping[str, object], *,
                 native_counter: bool = True, boot_instructions: int = BOOT_INSTRUCTIONS,
                 seconds: float = RUN_SECONDS) -> Iterator[Machine]:
    """Boot `firmware` for `board`; `map` is its model's NAME.map.json.

    `seconds` bounds the boot and every inference. Raises NotThere without unicorn, UsageError
    for a core it has no model of, EmulationFault for what the board would not survive.
    """
    if board.cpu.isa == "host":
        raise UsageError(f"{board.title} is not emulated", "use --engine native")
    cpu = cpu_model(board.cpu.core, board.cpu.isa)
    program = Program(firmware.elf)
    try:
        machine = Machine(Processor(program, board, cpu), map, seconds, native_counter)
        machine.boot(boot_instructions)
        yield machine
    finally:
        program.close()
