"""Serial ports of this machine and the boards that may be behind them, by USB ids of board files."""

from __future__ import annotations

from edgekit.board import Board, board_names, load_board
from edgekit.documents import document
from edgekit.errors import NotThere, UsageError


def found() -> list[dict]:
    """Ports in the order of their names: port, description, usb (vid:pid or null), boards."""
    from serial.tools import list_ports
    rows = []
    for info in sorted(list_ports.comports(), key=lambda info: info.device):
        usb = None if info.vid is None else f"{info.vid:04x}:{info.pid:04x}"
        rows.append({"port": info.device, "description": _description(info), "usb": usb,
                     "boards": boards_of(usb)})
    return rows


def boards_of(usb: str | None) -> list[str]:
    """Names of the boards whose files list this vid:pid."""
    return [name for name in board_names()
            if usb and (serial := load_board(name).serial) and usb in serial.usb]


def ports() -> dict:
    """`edgekit.ports`."""
    return document("ports", ports=found())


def find_port(board: Board) -> str:
    """The only port that fits the board; NotThere where there is none, UsageError where several.

    Where no port has one of the board's USB ids, a single USB port is taken: adapters have ids
    of their own.
    """
    there = [row for row in found() if row["usb"]]
    fitting = [row for row in there if board.name in row["boards"]] or [
        row for row in there if not row["boards"]]
    if len(fitting) == 1:
        return fitting[0]["port"]
    if not fitting:
        raise NotThere(f"no serial port of {board.title} is there" + (
            f"; USB ports: {', '.join(row['port'] for row in there)}" if there else ""),
            "plug it in, or name its port with --port")
    raise UsageError(f"{len(fitting)} serial ports fit {board.title}: "
                     f"{', '.join(row['port'] for row in fitting)}", "choose one with --port")


def _description(info) -> str:
    """What the device says of itself; pyserial writes n/a where it says nothing."""
    return "" if info.description in (None, "n/a") else info.description
