"""docs/article.md and its Chinese twin: the same code, which runs, and numbers computed again."""

import ast
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import require_module

from edgekit.compress import codebook
from edgekit.resources import folder

ARTICLES = ("article.md", "article.zh-CN.md")
OF_THE_EXAMPLE = ("data", "model", "train")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def text(name):
    return (folder("docs") / name).read_text(encoding="utf-8")


def blocks(name):
    return re.findall(r"^```python\n(.*?)^```$", text(name), re.DOTALL | re.MULTILINE)


def commands(name):
    """The shell commands of an article, without their continuation."""
    lines = re.findall(r"^    (edgekit [^\n\\]*(?:\\\n[^\n\\]*)*)", text(name), re.MULTILINE)
    return [" ".join(line.replace("\\\n", " ").split()) for line in lines]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The names that the article's code leaves behind, run from examples/digits as it says."""
    require_module("tensorflow")
    require_module("sklearn")
    place, patch = tmp_path_factory.mktemp("article"), pytest.MonkeyPatch()
    for module in OF_THE_EXAMPLE:
        patch.delitem(sys.modules, module, raising=False)
    patch.syspath_prepend(str(folder("examples") / "digits"))
    patch.chdir(place)
    names = {}
    try:
        for number, block in enumerate(blocks("article.md")):
            exec(compile(block, f"article.md, block {number}", "exec"), names)
    finally:
        patch.undo()
        for module in OF_THE_EXAMPLE:
            sys.modules.pop(module, None)
    return SimpleNamespace(**names, place=place)


def test_both_languages_have_the_same_code_commands_and_sections():
    english, chinese = (map(ast.parse, blocks(name)) for name in ARTICLES)
    for one, other in zip(english, chinese, strict=True):  # comments may be in each language
        assert ast.unparse(one) == ast.unparse(other)
    assert commands(ARTICLES[0]) == commands(ARTICLES[1]) != []
    numbers = [re.findall(r"^#+ ([\d.]+|Example \d|示例 \d)", text(name), re.MULTILINE)
               for name in ARTICLES]
    assert [n.replace("示例", "Example") for n in numbers[1]] == numbers[0]
    assert numbers[0] == ["1.", "2.", "3.", "4.", "4.1", "5.", "Example 1", "6.", "Example 2", "7.",
                          "8."]
    assert len(CHINESE.findall(text(ARTICLES[1]))) > 1000 and len(CHINESE.findall(
        text(ARTICLES[0]))) <= 2


@pytest.mark.parametrize("name", ARTICLES)
def test_the_commands_are_ones_that_edgekit_takes(name):
    import shlex

    from edgekit.arguments import parser
    for command in commands(name):
        if "..." not in command and not command.endswith(("size", "--tflm-compress")):
            parser().parse_args(shlex.split(command)[1:])


@pytest.mark.parametrize("name", ARTICLES)
def test_the_worked_numbers_are_what_the_formulas_give(name):
    rows = [[float(cell) for cell in line.strip("|").split("|")]
            for line in text(name).splitlines() if re.match(r"\| -?0\.\d\d \|", line)]
    weights, *columns = np.array(rows).T
    assert len(weights) == 10
    # The formula of section 4, not edgekit's code, for the linear half.
    number = np.round((np.clip(weights, -1, 1) + 1) / 2 * 7)
    levels = (np.array([-1, -0.5, -0.3, -0.1, 0.1, 0.3, 0.5, 1]), number * 2 / 7 - 1)
    nearest = np.abs(weights[:, None] - levels[0]).argmin(axis=1)
    expected = (number, levels[1], np.round(levels[1] * 127),
                nearest, levels[0][nearest], np.round(levels[0][nearest] * 127))
    for column, wanted in zip(columns, expected, strict=True):
        assert np.abs(column - wanted).max() <= 0.00005001
    for means in (columns[1], columns[4]):
        error = f"{np.square(means - weights).sum():.4f}"
        assert error in ("0.0857", "0.0416") and error in text(name)


def test_edgekits_own_code_gives_the_worked_numbers():
    names = {}
    exec(next(block for block in blocks("article.md") if "codebook.given" in block), names)
    ran = SimpleNamespace(**names)
    assert [number.tolist() for number in ran.numbers] == [
        [0, 2, 3, 3, 3, 4, 4, 5, 5, 6], [0, 1, 2, 3, 3, 4, 4, 5, 6, 7]]
    assert ran.integers[0].tolist() == [-127, -54, -18, -18, -18, 18, 18, 54, 54, 91]
    assert np.round(ran.errors, 4).tolist() == [0.0857, 0.0416]
    assert len(codebook.given(8, [-1, -0.5, -0.1, 0.1, 0.5, 1]).knots) == 6  # five intervals


@pytest.mark.slow
def test_the_examples_prune_and_quantize_and_keep_the_accuracy(ran):
    assert [(layer.before, layer.after) for layer in ran.report.layers] == [
        (16, 8), (32, 16), (32, 16), (10, 10)]
    assert ran.smaller.count_params() < 0.3 * ran.model.count_params()
    assert [(layer.before, layer.after) for layer in ran.cut.layers][2] == (32, 16)
    assert ran.before > 0.9 and min(ran.after.values()) > ran.before - 0.08, ran.after
    assert sorted(file.name for file in ran.place.iterdir()) == ["digits.tflite", "small.keras"]
    from edgekit import tflite
    graph = tflite.read(ran.packed)
    values = [len(np.unique(graph.tensors[op.inputs[1]].array)) for op in graph.ops
              if op.kind in ("CONV_2D", "FULLY_CONNECTED")]
    assert values[0] > 8 and max(values[1:]) <= 8
