"""Models compared on the same test images, which says more than two rates beside each other."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from didact.metrics import (
    Disagreements,
    Interval,
    majority_class,
    majority_vote,
    mcnemar_test,
    wilson_interval,
)
from didact.train.record.result import Predictions, Result


@dataclass(frozen=True, slots=True)
class OneModel:
    """An arm of one seed, on its own.

    Attributes:
        arm: ``"teacher"``, ``"alone"`` or ``"distilled"``.
        interval: Its accuracy with Wilson's interval: how far other images might move it.
        vote: The accuracy of the majority vote of the arm's seeds; None for one seed.
    """

    arm: str
    interval: Interval
    vote: float | None


@dataclass(frozen=True, slots=True)
class OnImages:
    """What the test images say beside what the seeds say.

    Attributes:
        seed: Whose models are compared.
        models: Each arm on its own.
        students: The distilled student against the one trained alone; None where one is missing.
        majority: The commonest class and its share, which whoever always names it would reach.
    """

    seed: int
    models: tuple[OneModel, ...]
    students: Disagreements | None
    majority: tuple[int, float]


def on_images(result: Result, predictions: Predictions) -> OnImages:
    """The comparison for the seed whose student was kept."""
    seed = result.seeds[0] if result.student_seed is None else result.student_seed
    labels = torch.tensor(predictions.labels)
    by_arm: dict[str, dict[int, torch.Tensor]] = {}
    for one in predictions.arms:
        by_arm.setdefault(one.arm, {})[one.seed] = torch.tensor(one.predicted)
    right = {arm: found[seed] == labels for arm, found in by_arm.items() if seed in found}
    models = tuple(
        OneModel(
            arm,
            wilson_interval(int(hits.sum()), len(labels)),
            _vote(list(by_arm[arm].values()), labels),
        )
        for arm, hits in right.items()
    )
    both = {"distilled", "alone"} <= set(right)
    students = mcnemar_test(right["distilled"], right["alone"]) if both else None
    return OnImages(seed, models, students, majority_class(labels))


def same_images(
    first: Predictions, first_seed: int, other: Predictions, other_seed: int, arm: str
) -> Disagreements | None:
    """One arm of two runs on the same images; None where they are not the same or not there."""
    answers = first.of(arm, first_seed), other.of(arm, other_seed)
    if first.labels != other.labels or None in answers:
        return None
    labels = torch.tensor(first.labels)
    mine, theirs = (torch.tensor(answer) == labels for answer in answers)
    return mcnemar_test(theirs, mine)


def _vote(classes: list[torch.Tensor], labels: torch.Tensor) -> float | None:
    if len(classes) < 2:
        return None
    return float((majority_vote(classes) == labels).double().mean())
