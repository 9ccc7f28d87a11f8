"""Every board as a document: what the command `boards` lists."""

from __future__ import annotations

from edgekit.board import board_names, load_board
from edgekit.documents import document


def boards() -> dict:
    """`edgekit.boards`."""
    rows = []
    for board in map(load_board, board_names()):
        rows.append({"name": board.name, "title": board.title, "core": board.cpu.core,
                     "isa": board.cpu.isa, "clock_hz": board.cpu.clock_hz,
                     "memories": [{"name": m.name, "kind": m.kind, "origin": m.origin,
                                   "size": m.size} for m in board.memory],
                     "forms": list(board.forms), "default_form": board.default_form,
                     "emulators": list(board.emulators), "flasher": board.flasher})
    return document("boards", boards=rows)
