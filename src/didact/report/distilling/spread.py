"""How the seeds lie around their middle, and in which classes the kept student errs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from didact.metrics import Interval, poisson_limits, wilson_interval
from didact.report.distilling.evidence import ARM_NAMES, ARMS, arm_values
from didact.report.drawing import format as fmt
from didact.report.drawing.spread import FEWEST_SEEDS, Spread, spread_of
from didact.train.record.result import Predictions, Result

MOST_CLASSES = 30
RARE = 0.1
"""Up to this rate errors are rare enough for Poisson limits."""


def over_seeds(result: Result) -> list[Spread]:
    """One line for each arm that has enough seeds."""
    found = {arm: arm_values(result, arm, "test_accuracy") for arm in ARMS}
    return [
        spread_of(arm, ARM_NAMES[arm], values, result.seeds)
        for arm, values in found.items()
        if len(values) >= FEWEST_SEEDS
    ]


@dataclass(frozen=True, slots=True)
class ClassErrors:
    """The errors of one model on the test images of one class."""

    name: str
    images: int
    wrong: int
    rate: Interval
    taken_for: str

    @property
    def limits(self) -> str:
        """``below 8.32%`` where nothing was wrong, else ``0.07 to 15.48%``."""
        low, high = 100 * (self.rate.low or 0.0), 100 * (self.rate.high or 0.0)
        if not self.wrong:
            return f"below {high:.2f}%"
        return f"{low:.2f} to {high:.2f}%"


def class_errors(result: Result, predictions: Predictions, arm: str) -> list[ClassErrors]:
    """A line for each class that has test images; those of the kept seed's model."""
    seed = result.seeds[0] if result.student_seed is None else result.student_seed
    predicted = predictions.of(arm, seed)
    if predicted is None or len(set(predictions.labels)) > MOST_CLASSES:
        return []
    names = result.data.class_names

    def named(which: int) -> str:
        return names[which] if which < len(names) else str(which)

    pairs = Counter(zip(predictions.labels, predicted, strict=True))
    lines = []
    for label, images in sorted(Counter(predictions.labels).items()):
        wrong = {other: n for (truth, other), n in pairs.items() if truth == label != other}
        most = max(wrong, key=lambda other: (wrong[other], -other)) if wrong else None
        shown = fmt.NOTHING if most is None else f"{named(most)} ({wrong[most]})"
        total = sum(wrong.values())
        rare = total <= RARE * images
        limits = poisson_limits(total, images) if rare else wilson_interval(total, images)
        lines.append(ClassErrors(named(label), images, total, limits, shown))
    return lines
