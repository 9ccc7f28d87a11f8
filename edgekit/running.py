"""edgekit run: the commands of a project file, each on what the one before it made."""

from __future__ import annotations

from pathlib import Path

from edgekit.errors import UsageError
from edgekit.runtimes.header import name_from
from edgekit.settings import Grammar, Settings, environment, words

# In this order; what is ALWAYS run needs no section.
MODELLING = ("prune", "quantize", "slim")
FIRMWARE = ("check", "generate", "build", "validate", "profile")
ALWAYS = ("check", "generate", "validate")
_OUTPUTS = {"prune": ("pruned", ".keras"), "quantize": ("int8", ".tflite"),
            "slim": ("slim", ".tflite")}


def steps(settings: Settings, grammar: Grammar) -> list[list[str]]:
    """One command line for each step; paths are relative to the project file's folder."""
    model = settings.shared.get("model")
    if not isinstance(model, str):
        raise UsageError(f"{settings.path.name}: there is no model in it",
                         'model = "net.keras", or a .tflite')
    out = Path(str(settings.shared.get("out", "build")))
    planned = []

    def plan(command: str, *positional: str) -> None:
        known = grammar[command]
        options = settings.options(command, known) | environment(known)
        planned.append([command, *positional, *words(options, known)])

    for command in MODELLING:
        if command in settings.commands or command == "quantize" and _is_keras(model):
            folder, suffix = _OUTPUTS[command]
            made = str(out / folder / f"{name_from(Path(model).stem)}{suffix}")
            plan(command, model, f"--out={made}")
            model = made
    firmware = str(out / "firmware")
    positions = {"generate": (model, f"--out={firmware}"), "build": (firmware,)}
    for command in FIRMWARE:
        if command in settings.commands or command in ALWAYS:
            plan(command, *positions.get(command, (model,)))
    return planned


def _is_keras(model: str) -> bool:
    return not model.endswith(".tflite")
