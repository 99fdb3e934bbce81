"""How numbers of several seeds lie around their middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from didact.metrics import outlying, quartiles
from didact.report.drawing import format as fmt

FEWEST_SEEDS = 4
"""Fewer have no quartiles worth the name."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One line of numbers over the seeds, ready to print; ``arm`` is its colour on the page."""

    arm: str
    name: str
    median: str
    quartiles: str
    iqr: str
    extremes: str
    outlying: str


def spread_of(arm: str, name: str, values: Sequence[float], seeds: Sequence[int]) -> Spread:
    """The line of some fractions, one for each seed, in percent."""
    q1, median, q3 = quartiles(values)
    far = ", ".join(str(seeds[place]) for place in outlying(values))
    return Spread(
        arm,
        name,
        _percent(median),
        f"{_percent(q1)} to {_percent(q3)}",
        _percent(q3 - q1),
        f"{_percent(min(values))} to {_percent(max(values))}",
        far or fmt.NOTHING,
    )


def _percent(fraction: float) -> str:
    return fmt.number(100 * fraction, 2)
