"""README.md says what is true: its commands parse, its files exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from edgekit import __version__
from edgekit.arguments import parser
from edgekit.text_table import PROFILE_HEADER

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = [line.split("  #")[0].strip() for line in README.splitlines()
            if line.startswith("    edgekit ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_readme_parses(command):
    assert parser().parse_args(shlex.split(command)[1:]).command


def test_the_readme_shows_commands():
    assert len(COMMANDS) >= 8


def test_every_command_is_in_the_readme_or_the_changelog():
    names = next(a for a in parser()._actions if a.dest == "command").choices
    text = README + (ROOT / "CHANGELOG.md").read_text()
    assert [name for name in names if f"`{name}`" not in text and f"edgekit {name}" not in text] == []


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^)#]+)\)", README + (ROOT / "ARCHITECTURE.md").read_text()):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_the_make_targets_of_the_readme_are_there():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^ {4}make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_demo_that_is_shown_has_the_columns_of_today():
    shown = README.split("<!-- demo -->")[1].split("<!-- /demo -->")[0]
    header = next(line for line in shown.splitlines() if "flash code" in line)
    assert re.split(r"\s{2,}", header.strip())[2:-1] == list(PROFILE_HEADER[1:])


def test_the_changelog_begins_with_this_version():
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_no_file_holds_a_path_of_one_machine():
    skipped = {".venv", "build", ".git"}
    files = [p for p in ROOT.rglob("*") if p.suffix in (".py", ".md", ".toml", ".j2", ".c", ".h")
             and not skipped & set(p.relative_to(ROOT).parts)]
    wrong = [p for p in files if re.search(r"/(work|root|home)/[a-z]",
                                           p.read_text(errors="replace"))]
    assert len(files) > 100 and wrong == []
