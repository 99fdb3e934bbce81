"""Streams that are not neat: rare classes, and tasks whose borders are blurred."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from didact._core.errors import RangeError
from didact.data.splits.joined import joined
from didact.data.splits.labels import distinct
from didact.data.splits.seeds import generator_for
from didact.data.splits.split import AnySplit


def imbalanced(train: AnySplit, order: Sequence[int], ratio: float, seed: int) -> AnySplit:
    """The class at place ``j`` of ``C`` keeps ``ratio ** (j / (C - 1))`` of its images.

    At least one is kept of each class.

    Raises:
        RangeError: ``ratio`` is not in (0, 1].
    """
    if not 0 < ratio <= 1:
        raise RangeError(f"imbalance is {ratio}; expected a fraction above 0 and at most 1")
    if ratio == 1:
        return train
    kept = []
    for place, label in enumerate(order):
        where = (train.labels == label).nonzero().flatten()
        count = max(1, round(len(where) * ratio ** (place / max(len(order) - 1, 1))))
        drawn = torch.randperm(len(where), generator=generator_for(seed, "imbalance", label))
        kept.append(where[drawn[:count]])
    return train.subset(torch.cat(kept).sort().values)


def blurred(trains: list[AnySplit], fraction: float, seed: int) -> list[AnySplit]:
    """This fraction of each task's images, drawn class by class, comes in the other tasks.

    Raises:
        RangeError: ``fraction`` is not in [0, 1).
    """
    if not 0 <= fraction < 1:
        raise RangeError(f"blurry is {fraction}; expected a fraction of at least 0 and below 1")
    if fraction == 0 or len(trains) == 1:
        return trains
    arriving: list[list[AnySplit]] = [[] for _ in trains]
    for number, train in enumerate(trains):
        stays, leaves = _parted(train.labels, fraction, seed, number)
        arriving[number].insert(0, train.subset(stays))
        others = [other for other in range(len(trains)) if other != number]
        for other, part in zip(others, leaves.tensor_split(len(others)), strict=True):
            arriving[other].append(train.subset(part))
    return [joined(*parts) for parts in arriving]


def _parted(labels: Tensor, fraction: float, seed: int, number: int) -> tuple[Tensor, Tensor]:
    """Which images stay and, shuffled, which leave; one of each class stays."""
    generator = generator_for(seed, "blurry", number)
    stays, leaves = [], []
    for label in distinct(labels):
        where = (labels == label).nonzero().flatten()
        where = where[torch.randperm(len(where), generator=generator)]
        count = min(round(fraction * len(where)), len(where) - 1)
        leaves.append(where[:count])
        stays.append(where[count:])
    gone = torch.cat(leaves)
    return torch.cat(stays).sort().values, gone[torch.randperm(len(gone), generator=generator)]
