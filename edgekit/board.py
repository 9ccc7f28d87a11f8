"""boards/*.toml -> Board: facts about one board, strict keys."""

from __future__ import annotations

import difflib
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path

from edgekit import resources
from edgekit.errors import BadBoard
from edgekit.toml_file import read_toml, require_known


@dataclass(frozen=True, slots=True)
class Memory:
    """One memory region; origin and size in bytes."""

    name: str
    kind: str
    origin: int
    size: int
    wait_states: int = 0
    cache: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Cpu:
    """`clock_hz` is 0 where the machine's clock is not known."""

    core: str
    isa: str
    clock_hz: int
    fpu: str | None = None
    kernels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Serial:
    """The UART that firmware prints on; `base` is its register block's address."""

    uart: str
    base: int = 0
    baud: int = 115_200
    usb: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """A board. Linux boards have no memories: their limits are the operating system's.

    `names` is what each ecosystem (form) calls the board.
    """

    name: str
    title: str
    port: str
    toolchain: str
    forms: tuple[str, ...]
    default_form: str
    cpu: Cpu
    memory: tuple[Memory, ...] = ()
    flasher: str | None = None
    emulators: tuple[str, ...] = ()
    emulated_as: str | None = None
    serial: Serial | None = None
    energy: tuple[tuple[str, float], ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    sources: tuple[str, ...] = ()

    def memories(self, kind: str) -> tuple[Memory, ...]:
        return tuple(memory for memory in self.memory if memory.kind == kind)

    def name_in(self, form: str) -> str | None:
        """What an ecosystem calls the board; None where it has no name for it."""
        return dict(self.names).get(form)

    @property
    def ram_size(self) -> int:
        """Bytes of RAM, all regions; 0 where an operating system hands it out."""
        return sum(memory.size for memory in self.memories("ram"))

    @property
    def flash_size(self) -> int:
        return sum(memory.size for memory in self.memories("flash"))


_NESTED = {"cpu": Cpu, "serial": Serial}
_TYPES = {"str": str, "int": int, "str | None": str}


def _build(kind: type, data: object, where: str):
    """A dataclass from a TOML table; unknown, missing and wrongly typed keys are BadBoard."""
    if not isinstance(data, dict):
        raise BadBoard(f"{where}: expected a table, got {type(data).__name__}")
    known = {f.name: f for f in fields(kind)}
    require_known(data, known, where, BadBoard)
    for name, f in known.items():
        if name not in data and f.default is MISSING:
            raise BadBoard(f"{where}: '{name}' is missing")
    return kind(**{key: _value(known[key], value, f"{where}: {key}") for key, value in data.items()})


def _value(f, value: object, where: str):
    if f.name in _NESTED:
        return _build(_NESTED[f.name], value, where)
    if f.name == "memory":
        if not isinstance(value, list):
            raise BadBoard(f"{where}: expected [[memory]] tables, got {type(value).__name__}")
        return tuple(_build(Memory, entry, f"{where}[{i}]") for i, entry in enumerate(value))
    if f.name in ("cache", "energy", "names"):
        if not isinstance(value, dict):
            raise BadBoard(f"{where}: expected a table, got {type(value).__name__}")
        return tuple(sorted(value.items()))
    if f.type.startswith("tuple"):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadBoard(f"{where}: expected a list of strings")
        return tuple(value)
    wanted = _TYPES[f.type]
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise BadBoard(f"{where}: expected {wanted.__name__}, got {type(value).__name__}")
    return value


def read_board(path: Path) -> Board:
    """A board from its TOML file; BadBoard names the key that is wrong."""
    data = read_toml(path, path.name, BadBoard)
    board = _build(Board, data, path.name)
    if board.name != path.stem:
        raise BadBoard(f"{path.name}: name is '{board.name}'", f"it must be '{path.stem}', as the file")
    if board.default_form not in board.forms:
        raise BadBoard(f"{path.name}: default_form '{board.default_form}' is not in forms")
    return board


@cache
def board_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in resources.folder("boards").glob("*.toml")))


@cache
def load_board(name: str) -> Board:
    """The board of that name; BadBoard with near names when there is none."""
    if name not in board_names():
        near = difflib.get_close_matches(name, board_names(), 3)
        raise BadBoard(f"there is no board '{name}'",
                       f"did you mean {' or '.join(near)}?" if near else "edgekit boards lists them")
    return read_board(resources.folder("boards") / f"{name}.toml")
