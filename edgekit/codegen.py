"""The one Jinja environment, and Project: generated files as a value with a digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import jinja2

from edgekit import resources


@dataclass(frozen=True)
class Project:
    """Generated files: (path with forward slashes, bytes), sorted by path."""

    files: tuple[tuple[str, bytes], ...]

    @classmethod
    def of(cls, files: Mapping[str, str | bytes]) -> Project:
        encoded = ((path, data.encode() if isinstance(data, str) else data)
                   for path, data in files.items())
        return cls(tuple(sorted(encoded)))

    @cached_property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for path, data in self.files:
            digest.update(path.encode() + b"\0" + len(data).to_bytes(8, "little") + data)
        return digest.hexdigest()

    def __getitem__(self, path: str) -> bytes:
        return dict(self.files)[path]

    def merged(self, other: Project) -> Project:
        """Both projects' files; the same path in both is an error of the caller."""
        mine, theirs = dict(self.files), dict(other.files)
        clash = sorted(mine.keys() & theirs.keys())
        if clash:
            raise ValueError(f"two parts of a project write {clash[0]}")
        return Project.of({**mine, **theirs})

    def under(self, folder: str) -> Project:
        """The same files below `folder`."""
        return Project.of({f"{folder}/{path}": data for path, data in self.files})

    def write(self, directory: Path) -> None:
        """Write into an empty or new folder (`pipeline` makes it atomic)."""
        for path, data in self.files:
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(resources.folder("templates")),
        undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True)


def render(template: str, **values) -> str:
    """A template below templates/, rendered; an undefined name is an error."""
    return _environment().get_template(template).render(**values)


def copied(folder: str, names: Iterable[str]) -> Project:
    """Files of templates/<folder>, byte for byte."""
    root = resources.folder("templates") / folder
    return Project.of({name: (root / name).read_bytes() for name in names})


def c_bytes(data: Iterable[int], per_line: int = 16) -> str:
    """Integers as the inside of a C initialiser, wrapped."""
    values = [str(value) for value in data]
    lines = (", ".join(values[i:i + per_line]) for i in range(0, len(values), per_line))
    return ",\n    ".join(lines)


@dataclass(frozen=True)
class ModelCode:
    """What a runtime emits for one model, before it is laid out for a board.

    `files` are relative to the model's folder; `sources` are those of them to compile,
    `map` is the content of NAME.map.json (arena symbol and size, tensors, ops).
    """

    name: str
    runtime: str
    model_sha256: str
    arena_size: int
    files: Project
    sources: tuple[str, ...]
    map: Mapping[str, object]

    @property
    def kernels_sha256(self) -> str:
        """Of the kernels' source files, whatever model they are used for."""
        return Project(tuple(file for file in self.files.files
                             if file[0].startswith("kernels/"))).sha256


@dataclass(frozen=True)
class SelfTest:
    """Golden vectors the firmware checks at boot: one inference's inputs and outputs, as bytes."""

    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
