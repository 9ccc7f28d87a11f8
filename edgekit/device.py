"""A model on a real board: the target `serial:PORT`, and whether the firmware there is the model's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgekit.board import Board, board_names, load_board
from edgekit.errors import Mismatch, UsageError
from edgekit.model import Model
from edgekit.serial_link import SerialLink, open_serial

PREFIX = "serial:"
BAUD = 115_200


def is_device(target: str) -> bool:
    return target.startswith(PREFIX)


@contextmanager
def open_device(target: str, model: Model, board: Board | None,
                baud: int | None) -> Iterator[tuple[SerialLink, Board, str]]:
    """(the link, the board it says it is, the runtime) behind `serial:PORT`.

    PORT is everything after the colon, URLs included. Without `baud` the board file's, or 115200.
    Raises Mismatch (exit 3) for another model's firmware, UsageError for another board's, and
    what `open_serial` raises.
    """
    port = target.removeprefix(PREFIX)
    if not port:
        raise UsageError("serial: names no port", "as serial:/dev/ttyACM0; edgekit ports lists them")
    speed = baud or (board.serial.baud if board and board.serial else BAUD)
    with open_serial(port, speed) as link:
        said = link.greeting
        if said.model_sha256 != model.sha256:
            raise Mismatch(f"the firmware on {port} has another model: sha256 "
                           f"{said.model_sha256[:16]}, '{model.name}' is {model.sha256[:16]}",
                           "generate, build and flash this model, or validate the one that is there")
        if board is not None and said.board != board.name:
            raise UsageError(f"the firmware on {port} is for the board '{said.board}', not "
                             f"'{board.name}'", f"--board {said.board}, or leave --board out")
        if said.board not in board_names():
            raise UsageError(f"the firmware on {port} is for the board '{said.board}', which "
                             "edgekit does not know", "edgekit boards lists those it knows")
        yield link, load_board(said.board), "aot" if said.has_layers else "tflm"
