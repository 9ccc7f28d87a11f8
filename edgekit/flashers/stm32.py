"""Flash an STM32 through the boot loader in its ROM: checked before the erase, verified after."""

from __future__ import annotations

from edgekit import log
from edgekit.board import Board
from edgekit.errors import BadBoard, EdgekitError, UsageError
from edgekit.flashers.job import Job, incomplete
from edgekit.flashers.stm32_rom import BLOCK, Lost, Refused, Rom
from edgekit.port_list import find_port
from edgekit.serial_port import open_port

BAUD = 115_200
TRIES = 4
# Data sheets: 25 ms for 4 KiB of an L4+, up to 4 s for 128 KiB of an F4.
ERASE_S, ERASE_KIB_S = 3.0, 1 / 16
ROUNDS = 3
_K = 1024

# Product id -> (the chips, sizes in bytes of the pages or sectors in their order): RM0432
# (dual bank, as delivered), RM0390.
CHIPS: dict[int, tuple[str, tuple[int, ...]]] = {
    0x470: ("STM32L4R and L4S", (4 * _K,) * 512),
    0x421: ("STM32F446", (16 * _K,) * 4 + (64 * _K,) + (128 * _K,) * 3),
}


def flash(job: Job) -> str:
    """Write and verify; the board starts the firmware. Gives how it was verified.

    EdgekitError where nothing answers, the chip is another, is protected, or stays wrong.
    """
    wanted = _product_id(job.board)
    port_name = job.port or find_port(job.board)
    # Eight bits with even parity; a pseudo-terminal carries bytes and knows no parity.
    parity = "N" if port_name.startswith("/dev/pts/") else "E"
    port = open_port(port_name, job.baud or BAUD, parity=parity)
    try:
        rom = Rom(port)
        rom.sync()
        _check_chip(rom, job, wanted)
        _check_readable(rom, job)
        with incomplete():
            _write_until_right(rom, job, CHIPS[wanted][1])
        _start(rom, job)
    finally:
        port.close()
    return "read back"


def _product_id(board: Board) -> int:
    given = board.name_in("stm32-rom")
    if given is None:
        raise UsageError(f"{board.title} is not flashed through an STM32's boot loader",
                         f"leave --by out: its way is {board.flasher}")
    if int(given, 16) not in CHIPS:
        raise BadBoard(f"{board.name}: the pages of product id {given} are not known",
                       "add them to CHIPS in edgekit/flashers/stm32.py")
    return int(given, 16)


def _repeat(rom: Rom, action):
    """The action's result; repeated where a byte was lost or damaged on the way."""
    for left in reversed(range(TRIES)):
        try:
            return action()
        except (Lost, Refused):
            if left == 0:
                raise
            rom.resync()


def _check_chip(rom: Rom, job: Job, wanted: int) -> None:
    # Twice, where it is not the right one: a damaged byte is no other chip.
    found = [_repeat(rom, rom.product_id) for _ in range(TRIES)]
    if wanted not in found:
        name = CHIPS.get(found[-1], ("a chip edgekit does not know",))[0]
        raise EdgekitError(f"the chip on {rom.port.name} has product id 0x{found[-1]:03x} ({name}); "
                           f"{job.board.title} has 0x{wanted:03x}. Nothing was erased",
                           "is this the right port and the right --board?")


def _check_readable(rom: Rom, job: Job) -> None:
    try:
        _repeat(rom, lambda: rom.read(job.start, 4))
    except Refused as refused:
        raise EdgekitError(f"the chip on {rom.port.name} is protected: it does not let its flash be "
                           "read. Nothing was erased", "remove the readout protection with "
                           "STM32CubeProgrammer, which erases the chip") from refused


def _write_until_right(rom: Rom, job: Job, sizes: tuple[int, ...]) -> None:
    data = job.data + b"\xff" * (-len(job.data) % 8)  # double words
    pages = _pages(job, len(data), sizes)
    seconds = ERASE_S + ERASE_KIB_S * sum(sizes[page] for page in pages) / _K
    blocks = [(job.start + at, data[at:at + BLOCK]) for at in range(0, len(data), BLOCK)]
    for _ in range(ROUNDS):
        log.step(f"erasing {len(pages)} pages")
        _repeat(rom, lambda: rom.erase(pages, seconds))
        if _write(rom, blocks) and _verify(rom, blocks):
            return
        log.step("the flash is not what was sent: once more")
    raise EdgekitError(f"the flash differs from the image after {ROUNDS} attempts",
                       "lower --baud, or check the cable and the supply")


def _pages(job: Job, size: int, sizes: tuple[int, ...]) -> range:
    at = job.board.memories("flash")[0].origin
    touched = []
    for number, page in enumerate(sizes):
        if at < job.start + size and at + page > job.start:
            touched.append(number)
        at += page
    return range(touched[0], touched[-1] + 1)


def _write(rom: Rom, blocks: list[tuple[int, bytes]]) -> bool:
    """Whether every block was taken; False where one is half written and needs an erase."""
    for number, (address, block) in enumerate(blocks):
        if block.strip(b"\xff") and not _write_block(rom, address, block):
            return False
        log.progress("write", number + 1, len(blocks))
    return True


def _write_block(rom: Rom, address: int, block: bytes) -> bool:
    for _ in range(TRIES):
        try:
            rom.write(address, block)
            return True
        except (Lost, Refused):
            rom.resync()
        # Cells cannot be programmed twice: look before writing again.
        there = _repeat(rom, lambda: rom.read(address, len(block)))
        if there == block:
            return True
        if there.strip(b"\xff"):
            return False
    raise Lost(f"the block at 0x{address:08x} was not taken in {TRIES} attempts",
               "lower --baud, or check the cable")


def _verify(rom: Rom, blocks: list[tuple[int, bytes]]) -> bool:
    for number, (address, block) in enumerate(blocks):
        # A damaged byte on the way back is no wrong cell; a wrong cell never reads right.
        if not any(_repeat(rom, lambda: rom.read(address, len(block))) == block
                   for _ in range(TRIES)):
            return False
        log.progress("verify", number + 1, len(blocks))
    return True


def _start(rom: Rom, job: Job) -> None:
    try:
        rom.go(job.start)
    except (Lost, Refused):
        log.step("the flash is right; reset the board, with BOOT0 low, to start it")
