"""Digests of generated projects: `python tests/golden.py --write` after a change you meant."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tiny_graphs import all_graphs  # noqa: E402

from edgekit import tflite_writer  # noqa: E402
from edgekit.board import board_names, load_board  # noqa: E402
from edgekit.model import model_of  # noqa: E402
from edgekit.project import RUNTIMES, compose, model_code  # noqa: E402
from edgekit.runtimes import tflm  # noqa: E402
from edgekit.runtimes.tflm_arena import ArenaNeed  # noqa: E402

FIXED_NEED = ArenaNeed(4096, "estimated", "reference", 0)
IMPOSSIBLE = {("arduino", "tflm"), ("platformio", "tflm"), ("python", "aot")}
FILE = Path(__file__).resolve().parent / "golden" / "projects.json"


def digests() -> dict[str, str]:
    """sha256 of the project of every (model, board, runtime, form)."""
    found = {}
    # The arena of tflm is measured with an installed package; here it is a fixed number.
    with mock.patch.object(tflm, "arena_need", lambda *_: FIXED_NEED):
        for name, graph in all_graphs().items():
            model = model_of(tflite_writer.write(graph), name)
            for board in map(load_board, board_names()):
                for runtime in RUNTIMES:
                    code = model_code(model, board, runtime)
                    for form in board.forms:
                        if (form, runtime) not in IMPOSSIBLE:
                            found[f"{name} {board.name} {runtime} {form}"] = compose(
                                model, code, board, form).sha256
    return found


def main() -> None:
    text = json.dumps(digests(), indent=1) + "\n"
    if "--write" in sys.argv:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text)
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
