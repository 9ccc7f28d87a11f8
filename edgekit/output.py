"""Projects on disk: written whole or not at all, and never over what a user edited.

A project folder holds `edgekit.sum`, the digests of what was generated, in the format of
sha256sum. A new tree is built beside the old one and takes its place by rename; a kill leaves
the old tree or the new one, and the next run sweeps what it left behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

from edgekit.codegen import Project
from edgekit.errors import EdgekitError, UsageError

SUMS = "edgekit.sum"


def write_project(project: Project, directory: Path, *, force: bool = False) -> None:
    """Put a project into `directory`; files the user added stay.

    UsageError where the folder is not a project of ours, is a symbolic link, or holds edited
    files, or the user's own in the place of generated ones, and `force` is not given.
    """
    directory = Path(directory)
    if directory.is_symlink():
        raise UsageError(f"{directory} is a symbolic link", "give the folder it points to")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        _sweep(directory)
        added = _added_files(project, directory, force)
        _replace(project, directory, added)
    except OSError as error:
        raise EdgekitError(f"{directory} could not be written: {error.strerror or error}; "
                           "nothing was changed", "look at the disk and its permissions") from error


def write_file(path: Path, data: bytes) -> None:
    """Put bytes into a file, whole or not at all."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.edgekit-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):  # the first error is the one to tell
            temporary.unlink(missing_ok=True)
        raise EdgekitError(f"{path} could not be written: {error.strerror or error}",
                           "look at the disk and its permissions") from error


def _added_files(project: Project, directory: Path, force: bool) -> list[Path]:
    """The files in the folder that no generation wrote, relative; they are the user's."""
    if not directory.exists():
        return []
    if not directory.is_dir():
        raise UsageError(f"{directory} is a file", "give a folder")
    present = [p.relative_to(directory) for p in directory.rglob("*")
               if p.is_file() or p.is_symlink()]
    if not present:
        return []
    if not (directory / SUMS).is_file():
        raise UsageError(f"{directory} is not empty and not a project of edgekit",
                         "give a new folder")
    sums = _read_sums(directory / SUMS)
    edited = [path for path, digest in sums.items() if (directory / path).is_file()
              and hashlib.sha256((directory / path).read_bytes()).hexdigest() != digest]
    if edited and not force:
        raise UsageError(f"{len(edited)} generated files were edited, among them {edited[0]}",
                         "--force overwrites them; or generate into another folder")
    generated = {path for path, _ in project.files}
    in_the_way = [p.as_posix() for p in present
                  if p.as_posix() in generated and p.as_posix() not in sums]
    if in_the_way and not force:
        raise UsageError(f"{in_the_way[0]} is a file of yours where a generated one goes",
                         "rename it, or overwrite it with --force; or generate into another folder")
    ours = set(sums) | generated | {SUMS}
    return [path for path in present if path.as_posix() not in ours]


def _read_sums(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}


def _replace(project: Project, directory: Path, added: list[Path]) -> None:
    fresh, old = _beside(directory, "new"), _beside(directory, "old")
    try:
        project.write(fresh)
        sums = (f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in project.files)
        (fresh / SUMS).write_text("".join(sums), encoding="utf-8")
        for path in added:
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(directory / path, fresh / path, follow_symlinks=False)
        if directory.exists():
            directory.rename(old)
        fresh.rename(directory)
    except BaseException:
        if old.exists() and not directory.exists():
            old.rename(directory)
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _beside(directory: Path, what: str) -> Path:
    return directory.with_name(f".{directory.name}.edgekit-{what}-{os.getpid()}")


def _sweep(directory: Path) -> None:
    """Undo what a killed run left: its half-written tree goes, the old tree comes back."""
    for left in sorted(directory.parent.glob(f".{directory.name}.edgekit-*-*")):
        what, _, pid = left.name.rpartition("-")
        if not pid.isdigit() or _alive(int(pid)):
            continue
        if what.endswith("-old") and not directory.exists():
            left.rename(directory)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
