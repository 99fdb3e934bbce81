"""The same number of images of each class, and a stage of training on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from didact.data import AnySplit, Task, generator_for, herding
from didact.methods.kit.samples import Samples
from didact.methods.kit.setting import Stage


def train_then_balance(
    method: Samples,
    task: Task,
    balanced: Stage,
    *,
    draw: Callable[[AnySplit, torch.Generator], AnySplit] | None = None,
) -> list[Stage]:
    """Training on ``balanced.split``, then ``balanced`` itself, where there is what to balance.

    There is in the second task and later, with exemplars, if the stage has epochs.

    Args:
        method: Whose memory and seed they are.
        task: The task.
        balanced: The second stage, on everything.
        draw: Chooses what of everything it is on; without, :meth:`Method.begin_stage` does, when
            the first stage has ended.
    """
    stages = [Stage("train", balanced.split)]
    if task.index == 0 or not len(method.memory) or not balanced.epochs:
        return stages
    if draw is not None:
        generator = generator_for(method.setting.seed, "balanced", task.index)
        balanced = replace(balanced, split=draw(balanced.split, generator))
    return [*stages, balanced]


def class_balanced(split: AnySplit, generator: torch.Generator) -> AnySplit:
    """As many images of each class as the rarest one has, drawn at random.

    Args:
        split: Images with labels.
        generator: Decides which.
    """
    return split.subset(draw_per_class(split.labels, rarest(split.labels), generator))


def class_representatives(split: AnySplit, features: Tensor) -> AnySplit:
    """As many images of each class as the rarest one has, chosen by herding.

    Args:
        split: Images with labels.
        features: ``(samples, width)``.
    """
    count = rarest(split.labels)
    chosen = []
    for label in torch.bincount(split.labels).nonzero().flatten().tolist():
        where = (split.labels == label).nonzero().flatten()
        chosen.append(where if len(where) == count else where[herding(features[where], count)])
    return split.subset(torch.cat(chosen).sort().values)


def rarest(labels: Tensor) -> int:
    """How many samples the rarest class has that is there at all."""
    counts = torch.bincount(labels)
    return int(counts[counts > 0].min())


def draw_per_class(
    labels: Tensor, count: int, generator: torch.Generator, *, fraction: float = 1.0
) -> Tensor:
    """Places of up to ``count`` samples of each class, in ascending order.

    Args:
        labels: Of all samples.
        count: The most of one class.
        generator: Decides which.
        fraction: Of a class's own samples, rounded, no more are drawn than this; but one at least
            where there are two.
    """
    order = torch.randperm(len(labels), generator=generator)
    shuffled = labels[order]
    counts = torch.bincount(labels).tolist()
    most = [
        min(count, own if fraction == 1 else max(round(own * fraction), int(own > 1)))
        for own in counts
    ]
    chosen = [order[shuffled == label][: most[label]] for label, own in enumerate(counts) if own]
    return torch.cat(chosen).sort().values
