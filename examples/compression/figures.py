"""What compression has to reach, and whether it does: means over the seeds against limits."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Rows = Mapping[str, Mapping]  # of one network with one seed, see recipe.Bench
Results = Mapping[str, Sequence[Rows]]  # by network, one entry a seed


@dataclass(frozen=True)
class Figure:
    """`value` of one seed's rows, in `unit`; None: not measured. Its mean is at most `limit`, or
    at least."""

    net: str
    name: str
    unit: str
    limit: float
    value: Callable[[Rows], float | None]
    at_least: bool = False


def _points(rows: Rows, name: str) -> float | None:
    return 100 * rows[name]["accuracy"] if name in rows else None


def _loss(before: str, after: str) -> Callable[[Rows], float | None]:
    """Points of accuracy lost from one row to another of the same seed."""
    def value(rows: Rows) -> float | None:
        ends = _points(rows, before), _points(rows, after)
        return None if None in ends else ends[0] - ends[1]

    return value


def _bytes(name: str) -> Callable[[Rows], float | None]:
    return lambda rows: rows[name]["slim_bytes"]


def _float(rows: Rows) -> float | None:
    return _points(rows, "float")


FIGURES = (
    Figure("resnet8", "float accuracy", "%", 96.0, _float, at_least=True),
    Figure("resnet8", "half pruned, int8", "bytes", 27_000, _bytes("half")),
    Figure("resnet8", "half pruned, int8: loss", "points", 0.6, _loss("float", "half")),
    Figure("resnet8", "half pruned: behind torch-pruning", "points", 0.3,
           _loss("half torch-pruning", "half float")),
    Figure("ds_cnn", "float accuracy", "%", 95.5, _float, at_least=True),
    Figure("ds_cnn", "half pruned, int8", "bytes", 15_000, _bytes("half")),
    Figure("ds_cnn", "half pruned, int8: loss", "points", 1.6, _loss("float", "half")),
    Figure("ds_cnn", "half pruned: behind torch-pruning", "points", 0.3,
           _loss("half torch-pruning", "half float")),
    Figure("ds_cnn", "quarter pruned, int8: loss", "points", 0.5, _loss("float", "quarter")),
    Figure("ds_cnn", "quarter pruned: behind torch-pruning", "points", 0.3,
           _loss("quarter torch-pruning", "quarter float")),
    Figure("ds_cnn", "3 bits, for TFLite Micro", "bytes", 20_000, _bytes("three bits")),
    Figure("ds_cnn", "3 bits: loss against int8", "points", 0.6, _loss("int8", "three bits")),
)


def judge(results: Results) -> list[dict]:
    """One entry a figure: mean and standard deviation over the seeds, whether it is reached
    (`ok`; None where it was not measured) and by how much it is missed (0 where it is not)."""
    return [_judged(figure, [figure.value(rows) for rows in results[figure.net]])
            for figure in FIGURES]


def _judged(figure: Figure, values: Sequence[float | None]) -> dict:
    entry = {"net": figure.net, "figure": figure.name, "unit": figure.unit,
             "limit": figure.limit, "at_least": figure.at_least}
    if None in values:
        return entry | {"mean": None, "deviation": None, "ok": None, "missed_by": None}
    # Accuracies are counts of images: what is left behind the sixth digit is rounding.
    mean = round(statistics.mean(values), 6)
    over = figure.limit - mean if figure.at_least else mean - figure.limit
    return entry | {"mean": mean, "deviation": round(_deviation(values), 6), "ok": over <= 0,
                    "missed_by": round(max(0.0, over), 6)}


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def missed(judged: Sequence[dict]) -> list[str]:
    """A sentence for each figure that was measured and is missed."""
    return [f"{one['net']}, {one['figure']}: {one['mean']:g} {one['unit']}, "
            f"{'at least' if one['at_least'] else 'at most'} {one['limit']:g} is asked for: "
            f"missed by {one['missed_by']:g}" for one in judged if one["ok"] is False]


def unequal(results: Results) -> list[str]:
    """A sentence for each slim or compressed file that computes something else on TFLite Micro."""
    return [f"{net}, seed number {number}, {name}: the smaller file computes other outputs"
            for net, seeds in results.items() for number, rows in enumerate(seeds, start=1)
            for name, row in rows.items() if row.get("equal") is False]
