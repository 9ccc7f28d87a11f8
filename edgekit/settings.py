"""edgekit.toml and EDGEKIT_*: options that need not be typed, as words of a command line.

They stand in front of what the user typed, so the order command line, environment, file, default
holds, and argparse judges all of it by the same rules.

    model = "net.keras"             # of `edgekit run`, as out is
    board = "nucleo_l4r5zi"         # options of every command that has them
    data = "train.npz"
    validation = "test.npz"

    [prune]                         # options of one command; `run` runs what has a section
    rate = 0.5
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import UsageError

FILE = "edgekit.toml"
OF_RUN = ("model", "out")
SHARED = ("board", "runtime", "engine", "optimize", "toolchain", "data", "validation", "augment",
          "seed")
# Command -> its option names, "rate" for --rate -> "flag", "one" value or "many".
Options = Mapping[str, str]
Grammar = Mapping[str, Options]


@dataclass(frozen=True)
class Settings:
    """An edgekit.toml: `shared` options and a section for each of `commands`, in file order."""

    path: Path
    shared: Mapping[str, object]
    commands: Mapping[str, Mapping[str, object]]

    def options(self, command: str, known: Options) -> dict[str, object]:
        """The command's options in this file, its own section last."""
        shared = {key: value for key, value in self.shared.items()
                  if key in known and key not in OF_RUN}
        if command == "validate":  # accuracy is judged on what was not trained on
            shared.pop("data", None)
            if "validation" in self.shared:
                shared["data"] = self.shared["validation"]
        return shared | dict(self.commands.get(command, {}))


def load(path: Path, grammar: Grammar) -> Settings:
    """A project file; UsageError names the key that no command knows."""
    from edgekit.toml_file import read_toml, require_known  # most commands have no such file
    data = read_toml(path, str(path), UsageError, "edgekit run takes a project file")
    shared = {key: value for key, value in data.items() if not isinstance(value, dict)}
    commands = {key: value for key, value in data.items() if isinstance(value, dict)}
    require_known(shared, (*OF_RUN, *SHARED), path.name, UsageError)
    require_known(commands, grammar, path.name, UsageError, "section")
    for command, options in commands.items():
        require_known(options, grammar[command], path.name, UsageError, f"key in [{command}]")
    for key, value in [*shared.items(), *(pair for options in commands.values()
                                          for pair in options.items())]:
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, (str, int, float)) for item in items):
            raise UsageError(f"{path.name}: {key} is {type(value).__name__}",
                             "strings, numbers, booleans and lists of them")
    return Settings(path, shared, commands)


def words(options: Mapping[str, object], known: Options) -> list[str]:
    """Options as the words of a command line."""
    found = []
    for key, value in options.items():
        if known[key] == "flag":
            found += [f"--{key}"] * _truth(key, value)
        elif isinstance(value, list) and known[key] == "many":
            found += [f"--{key}={item}" for item in value]
        elif isinstance(value, list):
            found.append(f"--{key}={','.join(map(str, value))}")
        else:
            found.append(f"--{key}={value}")
    return found


def _truth(key: str, value: object) -> bool:
    if value in (True, False):
        return bool(value)
    if str(value).lower() not in ("0", "1", "true", "false"):
        raise UsageError(f"{key} is '{value}'", "true or false")
    return str(value).lower() in ("1", "true")


def beforehand(argv: list[str], grammar: Grammar) -> list[str]:
    """`argv` with what the environment and an edgekit.toml of this folder add to its command."""
    command = next((word for word in argv if not word.startswith("-")), None)
    if command not in grammar or command == "run":
        return argv
    known = grammar[command]
    options = load(Path(FILE), grammar).options(command, known) if Path(FILE).is_file() else {}
    options |= environment(known)
    typed = {word.split("=")[0].removeprefix("--") for word in argv if word.startswith("--")}
    added = words({key: value for key, value in options.items() if key not in typed}, known)
    place = argv.index(command) + 1
    return [*argv[:place], *added, *argv[place:]]


def environment(known: Options) -> dict[str, object]:
    """EDGEKIT_BOARD for --board, EDGEKIT_MAX_RAM for --max-ram; what is empty does not count."""
    found = {key: os.environ.get(f"EDGEKIT_{key.upper().replace('-', '_')}") for key in known}
    return {key: value for key, value in found.items() if value}
