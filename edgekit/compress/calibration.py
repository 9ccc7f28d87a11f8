"""What is doubtful about a quantization: too few samples, values beyond their range."""

from __future__ import annotations

from collections.abc import Iterable

from edgekit.compress.encoding import Coded

ENOUGH = 100
TOO_MUCH = 0.01  # of a tensor beyond its range


def few_samples(count: int, used: int) -> tuple[str, ...]:
    """A warning where few samples teach the ranges of the activations."""
    if used >= ENOUGH:
        return ()
    return (f"{used} of {count} samples calibrate the ranges of the activations; {ENOUGH} to 500 "
            "typical ones give good ranges",)


def saturated_weights(kernels: Iterable[Coded]) -> tuple[str, ...]:
    """A warning for each layer of which much lies beyond the range that the user gave."""
    return tuple(f"{kernel.layer}: {kernel.saturated:.1%} of the weights are beyond the range given"
                 for kernel in kernels if kernel.saturated > TOO_MUCH)
