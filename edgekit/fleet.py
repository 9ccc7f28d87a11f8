"""Many boards at once: `validate --boards fleet.toml` flashes and validates each, one table at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import MISSING, dataclass, fields
from pathlib import Path

from edgekit import log, pipeline
from edgekit.board import load_board
from edgekit.device import PREFIX
from edgekit.documents import document, error_document
from edgekit.errors import EdgekitError, Mismatch, NotThere, UsageError
from edgekit.flashing import WAYS, flash
from edgekit.model import Model, load_model
from edgekit.toml_file import read_toml, require_known

AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Member:
    """One `[[board]]` of a fleet file: where its UART is, and how it is flashed.

    `port` may be a URL. `flash_port` is a UF2 drive, a probe's id, USER@HOST or a boot loader's port,
    where that is another place; `flash = false` takes the firmware that is there.
    """

    board: str
    port: str
    name: str = ""
    baud: int | None = None
    flash: bool = True
    flash_port: str | None = None
    by: str | None = None


_TYPES = {"str": str, "bool": bool, "int | None": int, "str | None": str}


def read_fleet(path: Path) -> tuple[Member, ...]:
    """The members in a fleet file's order; UsageError names what is wrong with it."""
    data = read_toml(path, str(path), UsageError, "a fleet file has a [[board]] table for each board")
    entries = data.get("board")
    if set(data) != {"board"} or not isinstance(entries, list) or not entries:
        raise UsageError(f"{path.name}: [[board]] tables are expected, and nothing else",
                         'each with board = "NAME" and port = "/dev/ttyACM0"')
    members = tuple(_member(entry, f"{path.name}: board {i + 1}") for i, entry in enumerate(entries))
    for what in ("name", "port"):
        found = [getattr(member, what) for member in members]
        if twice := sorted({value for value in found if found.count(value) > 1}):
            raise UsageError(f"{path.name}: the {what} {twice[0]} is there twice",
                             "every board has its own")
    return members


def _member(entry: object, where: str) -> Member:
    known = {f.name: f for f in fields(Member)}
    if not isinstance(entry, dict):
        raise UsageError(f"{where} is no table")
    require_known(entry, known, where, UsageError)
    for key, value in entry.items():
        wanted = _TYPES[known[key].type]
        if type(value) is not wanted:
            raise UsageError(f"{where}: {key} is {type(value).__name__}, {wanted.__name__} is expected")
    for key, f in known.items():
        if f.default is MISSING and key not in entry:
            raise UsageError(f"{where}: '{key}' is missing")
    member = Member(**{"name": f"{entry['board']} on {entry['port']}", **entry})
    load_board(member.board)
    if member.by not in (None, *WAYS):
        raise UsageError(f"{where}: unknown way '{member.by}'", f"one of {', '.join(WAYS)}")
    return member


def validate(model: Model, members: Sequence[Member], *, data=None, count: int | None = None,
             runtime: str | None = None, toolchain: str = "auto",
             optimize: str = "balanced") -> dict:
    """`edgekit.fleet`: one row for each member, in their order; a failure is its row's alone."""
    def one(member: Member) -> dict:
        with log.labelled(member.name):
            return _row(model, member, data, count, runtime or "aot", toolchain, optimize)

    with ThreadPoolExecutor(min(len(members), AT_ONCE)) as pool:
        rows = list(pool.map(one, members))
    return document("fleet", boards=rows, ok=all(row["ok"] for row in rows))


def validate_file(path, source, **options) -> dict:
    """`validate` of a model file on the boards of a fleet file."""
    members = read_fleet(Path(path))
    return validate(load_model(Path(source)), members, **options)


def _row(model: Model, member: Member, data, count: int | None, runtime: str, toolchain: str,
         optimize: str) -> dict:
    row = {"name": member.name, "board": member.board, "port": member.port, "flashed": None,
           "verdict": None, "ok": False, "error": None}
    try:
        if member.flash:
            row["flashed"] = _flash(model, member, runtime, toolchain, optimize)["verified"]
        log.step("validating")
        row["verdict"] = pipeline.validate(model, member.board, target=PREFIX + member.port,
                                           baud=member.baud, data=data, count=count)
        row["ok"] = row["verdict"]["ok"]
        pipeline.require_ok(row["verdict"])
    except EdgekitError as error:
        row["error"] = {key: error_document(error)[key] for key in ("code", "exit", "message", "hint")}
    return row


def _flash(model: Model, member: Member, runtime: str, toolchain: str, optimize: str) -> dict:
    board = load_board(member.board)
    form = "cmake" if "cmake" in board.forms else board.default_form
    # The serial port is the boot loader's too, unless the way has other ports.
    port = member.flash_port or (member.port if (member.by or board.flasher) in ("esp", "stm32")
                                 else None)
    with tempfile.TemporaryDirectory(prefix="edgekit-fleet-") as folder:
        project = Path(folder) / model.name
        pipeline.generate(model, member.board, project, runtime=runtime, form=form,
                          optimize=optimize)
        log.step("building and flashing")
        return flash(project, port=port, by=member.by, toolchain=toolchain)


def require_ok(result: dict) -> None:
    """The kind of the first failure (its exit code), and a sentence for each, where there is one."""
    failed = [row for row in result["boards"] if row["error"]]
    if not failed:
        return
    kind = {2: UsageError, 3: Mismatch, 6: NotThere}.get(failed[0]["error"]["exit"], EdgekitError)
    reasons = tuple(f"{row['name']}: {row['error']['message']}" for row in failed)
    raise kind(f"{len(failed)} of {len(result['boards'])} boards failed; {reasons[0]}",
               failed[0]["error"]["hint"], reasons=reasons)
