"""Which rate of pruning and which bits meet a board's budgets, from what models cost untrained.

What a model costs on a board depends on its shapes and its codebooks, not on its training. So
rates are scored before anything is trained, by bisection, since costs fall with the rate. Fewer
bits save flash alone: they come second, and only where they let a gentler pruning meet the budgets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from edgekit.errors import DoesNotFit
from edgekit.profiling import over_budget

# Rates are multiples of 1/STEPS; beyond HIGHEST there is nothing left of most layers.
STEPS, HIGHEST = 32, 30
BITS = (6, 4, 3)  # of codebooks, tried in this order once int8 is not enough

Score = Callable[[int, int | None], dict]  # (step, bits or None for int8) -> `edgekit.profile`


class Share(float):
    """A limit as a fraction of what the unpruned model takes."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits, None where there is none: bytes, bytes, seconds (the high estimate), each also a
    `Share`, and a fraction of the samples."""

    max_ram: int | Share | None = None
    max_flash: int | Share | None = None
    max_latency_s: float | Share | None = None
    max_accuracy_loss: float = 0.01

    @classmethod
    def spelled(cls, ram, flash, latency_s, loss: float) -> Budgets:
        """Budgets from the command line, where a share is written as 50%."""
        return cls(*(Share(float(limit[:-1]) / 100) if isinstance(limit, str) else limit
                     for limit in (ram, flash, latency_s)), loss)

    @property
    def empty(self) -> bool:
        return (self.max_ram, self.max_flash, self.max_latency_s) == (None, None, None)

    def absolute(self, whole: dict) -> Budgets:
        """The budgets with shares of the unpruned model's profile as numbers.

        Raises DoesNotFit where that number is not known.
        """
        latency = whole["time"]["latency_s"]
        found = {"max_ram": whole["ram"]["total"], "max_flash": whole["flash"]["total"],
                 "max_latency_s": latency[1] if latency else None}
        for name, value in found.items():
            share = getattr(self, name)
            if isinstance(share, Share):
                if value is None:
                    raise DoesNotFit(f"what the unpruned model takes is not known, so neither is "
                                     f"{share:.0%} of it", "edgekit doctor says what is missing")
                found[name] = value * share if name == "max_latency_s" else int(value * share)
            else:
                found[name] = share
        return replace(self, **found)

    def over(self, profile: dict) -> list[str]:
        """What a profile spends beyond the budgets, a sentence each; shares must be absolute."""
        return over_budget(profile, max_ram=self.max_ram, max_flash=self.max_flash,
                           max_latency_s=self.max_latency_s)


@dataclass(frozen=True)
class Point:
    """One scored model: `bits` of its codebooks, None for int8; what it spends beyond budget."""

    step: int
    bits: int | None
    profile: dict
    over: tuple[str, ...]

    @property
    def rate(self) -> float:
        return self.step / STEPS

    @property
    def name(self) -> str:
        kind = f" with {self.bits}-bit codebooks" if self.bits else ""
        return (f"a pruning of {self.rate:.0%}" if self.step else "the unpruned model") + kind


class Search:
    """Scores points, each once; `tried` are all of them."""

    def __init__(self, score: Score, budgets: Budgets):
        self._score, self._budgets = score, budgets
        self.tried: dict[tuple[int, int | None], Point] = {}

    def measure(self, step: int, bits: int | None = None) -> Point:
        if (step, bits) not in self.tried:
            profile = self._score(step, bits)
            over = tuple(self._budgets.over(profile))
            self.tried[step, bits] = Point(step, bits, profile, over)
        return self.tried[step, bits]

    def smallest(self, bits: int | None = None, highest: int = HIGHEST) -> Point | None:
        """The point of the smallest rate, at most `highest`, that meets the budgets."""
        if highest < 0 or self.measure(highest, bits).over:
            return None
        low, high = -1, highest
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.measure(middle, bits).over else (low, middle)
        return self.tried[high, bits]

    def candidates(self) -> Iterator[Point]:
        """Points that meet the budgets, each with a gentler pruning and fewer bits than the last.

        Raises DoesNotFit with the nearest miss when there is none.
        """
        gentlest = HIGHEST + 1
        for bits in (None, *(BITS if self._budgets.max_flash is not None else ())):
            point = self.smallest(bits, gentlest - 1)
            if point is not None:
                gentlest = point.step
                yield point
        if gentlest > HIGHEST:
            miss = min((point for point in self.tried.values() if point.step == HIGHEST),
                       key=lambda point: len(point.over))
            raise DoesNotFit(f"with {miss.name} the model is still over budget: "
                             f"{'; '.join(miss.over)}",
                             "choose a larger board or a smaller network", reasons=miss.over)
