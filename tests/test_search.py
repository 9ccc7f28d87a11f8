"""The search of `fit`, on costs that are functions of rate and bits: no model, no compiler."""

from types import SimpleNamespace

import pytest

from edgekit.errors import DoesNotFit
from edgekit.fitting import Judged, _first_good
from edgekit.search import BITS, HIGHEST, STEPS, Budgets, Search, Share


def cost(step, bits=None):
    """A convolutional net's: weights and cycles fall with the square of what is left."""
    left = 1 - step / STEPS
    return {"flash": {"total": int(4000 + 100_000 * left ** 2 * (bits or 8) / 8)},
            "ram": {"total": int(2000 + 50_000 * left)},
            "time": {"latency_s": [0.05 * left ** 2, 0.1 * left ** 2 * (1.3 if bits else 1)],
                     "instructions": 1}}


def searched(score=cost, **limits):
    budgets = Budgets(**limits).absolute(score(0, None))
    search = Search(score, budgets)
    return budgets, search, [(point.step, point.bits) for point in search.candidates()]


@pytest.mark.parametrize("limits", [
    {"max_latency_s": 0.05}, {"max_ram": 30_000}, {"max_latency_s": 0.011, "max_ram": 45_000}])
def test_bisection_finds_the_smallest_rate_that_a_scan_of_all_finds(limits):
    budgets, search, found = searched(**limits)
    scan = next(step for step in range(STEPS) if not budgets.over(cost(step)))
    assert found == [(scan, None)] and 0 < scan < HIGHEST
    assert len(search.tried) <= 1 + 5  # the highest, then a halving for each of 31 steps


def test_fewer_bits_come_second_each_for_a_gentler_pruning_and_only_for_flash():
    budgets, _, found = searched(max_flash=30_000)
    steps = [step for step, _ in found]
    assert [bits for _, bits in found] == [None, *BITS] and steps == sorted(steps, reverse=True)
    for step, bits in found:
        assert not budgets.over(cost(step, bits)) and budgets.over(cost(step - 1, bits))
    assert searched(max_latency_s=0.05)[2][-1][1] is None


def test_bits_that_allow_no_gentler_pruning_are_not_candidates():
    # Decoding costs time: what saves flash does not meet this deadline with less pruning.
    assert searched(max_latency_s=0.03, max_flash=60_000)[2] == [(15, None)]


def test_few_bits_fit_where_no_rate_of_int8_does():
    def heavy(step, bits=None):
        found = cost(0, bits)  # nothing in it can be pruned
        return found | {"ram": {"total": 2000 - step}}

    assert searched(heavy, max_flash=60_000)[2] == [(0, 4), ] and searched(
        heavy, max_flash=80_000)[2] == [(0, 6)]


def test_the_nearest_miss_is_told_with_every_number():
    with pytest.raises(DoesNotFit, match="with a pruning of 94% the model is still over budget: "
                       r"RAM is 5,125 bytes, the budget is 3,000") as miss:
        searched(max_ram=3000, max_latency_s=0.05)
    assert len(miss.value.reasons) == 1 and miss.value.hint


def test_a_share_is_of_the_unpruned_model():
    budgets = Budgets(Share(0.5), Share(0.25), Share(0.1)).absolute(cost(0))
    assert (budgets.max_ram, budgets.max_flash) == (26_000, 26_000)
    assert budgets.max_latency_s == pytest.approx(0.01)
    unknown = cost(0) | {"time": {"latency_s": None, "instructions": None}}
    with pytest.raises(DoesNotFit, match="is not known"):
        Budgets(max_latency_s=Share(0.5)).absolute(unknown)
    # What is not known is over a budget in numbers, never within it.
    assert Budgets(max_latency_s=1.0).over(unknown)


class Trained:
    """Work whose accuracy falls with the rate and the bits, and what a training adds to a cost."""

    def __init__(self, added=0):
        self.trained, self._added = [], added

    def judged(self, point):
        self.trained.append((point.step, point.bits))
        profile = cost(point.step, point.bits)
        profile["flash"]["total"] += self._added
        layer = SimpleNamespace(name="conv", before=STEPS, after=STEPS - point.step)
        return Judged(point, None, profile, 0.97 - 0.2 * point.rate ** 2 - 0.01 * (point.bits == 3),
                      SimpleNamespace(layers=[layer]))


def first_good(limits, work):
    budgets, misses = Budgets(**limits), []
    return _first_good(work, Search(cost, budgets), budgets, 0.97, misses)[0], misses


def test_the_first_point_that_loses_little_enough_is_taken_and_no_other_is_trained():
    work = Trained()
    found, misses = first_good({"max_flash": 60_000, "max_accuracy_loss": 0.03}, work)
    assert work.trained == [(9, None)] and misses == []
    assert found.point.step == 9


def test_where_pruning_loses_too_much_fewer_bits_allow_a_gentler_one():
    work = Trained()
    found, misses = first_good({"max_flash": 60_000, "max_accuracy_loss": 0.005}, work)
    assert work.trained == [(9, None), (5, 6)] and found.point.bits == 6
    assert [miss.point.bits for miss, _ in misses] == [None]
    assert 0.97 - found.accuracy <= 0.005 < 0.97 - misses[0][0].accuracy


def test_a_model_that_training_made_too_large_is_a_miss():
    with pytest.raises(DoesNotFit) as miss:
        first_good({"max_flash": 60_000, "max_accuracy_loss": 0.5}, Trained(added=50_000))
    assert all("flash is" in reason for reason in miss.value.reasons)


def test_the_nearest_miss_is_the_point_that_loses_least_with_what_it_removed():
    work = Trained()
    with pytest.raises(DoesNotFit) as miss:
        first_good({"max_latency_s": 0.05, "max_accuracy_loss": 0.01}, work)
    assert "the budgets need a pruning of 31%, which loses 1.95% of accuracy (97.00% to 95.05%); " \
        "the limit is 1.00%" == miss.value.message
    assert "'conv' 32 -> 22" in miss.value.hint
    assert "a pruning of 31%: int8 accuracy 95.05%, loses too much; " in miss.value.reasons[0]
