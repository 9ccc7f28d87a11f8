"""The bookkeeping of examples/compression: what is judged, and by which numbers. Nothing trains."""

import json
import sys

import pytest

from edgekit.resources import folder

MODULES = ("bench", "figures")


@pytest.fixture
def bench(monkeypatch):
    """The module, whose measurements are `rows` for every seed."""
    monkeypatch.syspath_prepend(str(folder("examples") / "compression"))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    import bench
    yield bench
    for name in MODULES:
        sys.modules.pop(name, None)


def good(torch=None):
    """Rows of one seed with which every figure is reached; torch-pruning's accuracy or none."""
    rows = {
        "float": {"accuracy": 0.98}, "int8": {"accuracy": 0.979, "equal": True},
        "half float": {"accuracy": 0.975},
        "half": {"accuracy": 0.976, "slim_bytes": 14_000, "equal": True},
        "quarter float": {"accuracy": 0.98},
        "quarter": {"accuracy": 0.977, "slim_bytes": 22_000, "equal": True},
        "three bits": {"accuracy": 0.975, "slim_bytes": 18_000, "equal": True}}
    if torch is not None:
        rows |= {f"{name} torch-pruning": {"accuracy": torch} for name in ("half", "quarter")}
    for row in rows.values():
        row["seconds"] = 1.0
    return rows


def results(*seeds):
    return {"resnet8": list(seeds), "ds_cnn": list(seeds)}


def changed(name, **values):
    return good() | {name: good()[name] | values}


def run(bench, monkeypatch, found, *arguments):
    seen = []
    monkeypatch.setattr(bench, "run", lambda seeds, processes: seen.append(list(seeds)) or found)
    return bench.main(list(arguments)), seen[0]


def test_every_figure_reached_exits_with_0_and_five_seeds(bench, monkeypatch, capsys):
    assert run(bench, monkeypatch, results(*[good(0.975)] * 5)) == (0, [1, 2, 3, 4, 5])
    said = capsys.readouterr()
    assert said.out.count(" yes\n") == len(bench.figures.FIGURES) == 12 and said.err == ""


@pytest.mark.parametrize("rows, sentence", [
    (changed("half", accuracy=0.97, slim_bytes=14_000),
     "resnet8, half pruned, int8: loss: 1 points, at most 0.6 is asked for: missed by 0.4"),
    (changed("half", slim_bytes=15_001),
     "ds_cnn, half pruned, int8: 15001 bytes, at most 15000 is asked for: missed by 1"),
    (changed("float", accuracy=0.955),
     "resnet8, float accuracy: 95.5 %, at least 96 is asked for: missed by 0.5"),
    (changed("three bits", accuracy=0.972),
     "ds_cnn, 3 bits: loss against int8: 0.7 points, at most 0.6 is asked for: missed by 0.1"),
    (good(0.979), "half pruned: behind torch-pruning: 0.4 points, at most 0.3"),
])
def test_a_missed_figure_exits_with_1_and_says_by_how_much(bench, monkeypatch, capsys, rows,
                                                           sentence):
    code, _ = run(bench, monkeypatch, results(*[rows] * 5))
    assert code == 1 and sentence in capsys.readouterr().err


def test_the_mean_over_the_seeds_is_judged_not_each_seed(bench):
    worse, better = changed("half", accuracy=0.97), changed("half", accuracy=0.98)
    loss = bench.figures.judge(results(worse, better))[2]
    assert (loss["mean"], loss["ok"]) == (0.5, True)
    assert loss["deviation"] == pytest.approx(0.7071, abs=1e-4)  # of 1 and 0 points


def test_a_limit_that_is_just_met_is_reached(bench):
    row = changed("half", accuracy=0.974, slim_bytes=15_000)
    judged = bench.figures.judge(results(row))
    assert [one["ok"] for one in judged[1:3]] == [True, True] and judged[2]["mean"] == 0.6


def test_without_torch_pruning_its_figures_are_not_measured_and_not_missed(bench, monkeypatch,
                                                                           capsys):
    code, _ = run(bench, monkeypatch, results(*[good()] * 5))
    assert code == 0 and capsys.readouterr().out.count("not measured") == 3


def test_fast_takes_one_seed_and_judges_nothing(bench, monkeypatch, capsys):
    bad = results(changed("half", accuracy=0.5))
    assert run(bench, monkeypatch, bad, "--fast") == (0, [1])
    assert "NO" in capsys.readouterr().out


def test_a_smaller_file_that_computes_something_else_is_an_error(bench, monkeypatch, capsys):
    bad = results(changed("three bits", equal=False))
    assert run(bench, monkeypatch, bad, "--fast")[0] == 1
    assert "seed number 1, three bits: the smaller file computes other" in capsys.readouterr().err


def test_the_json_has_rows_figures_and_versions(bench, monkeypatch, tmp_path):
    path = tmp_path / "results.json"
    run(bench, monkeypatch, results(*[good()] * 5), "--json", str(path))
    found = json.loads(path.read_text())
    assert found["schema"] == "edgekit.bench_compression" and found["seeds"] == [1, 2, 3, 4, 5]
    assert len(found["results"]["ds_cnn"]) == 5 and found["packages"]["numpy"]
    assert {one["ok"] for one in found["figures"]} == {True, None}
