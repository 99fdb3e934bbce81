"""The same number of images of each class."""

from __future__ import annotations

import torch
from torch import Tensor

from didact.data import AnySplit


def class_balanced(split: AnySplit, generator: torch.Generator) -> AnySplit:
    """As many images of each class as the rarest one has, drawn at random.

    Args:
        split: Images with labels.
        generator: Decides which.
    """
    counts = torch.bincount(split.labels)
    return split.subset(draw_per_class(split.labels, int(counts[counts > 0].min()), generator))


def draw_per_class(labels: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Places of up to ``count`` samples of each class, in ascending order."""
    order = torch.randperm(len(labels), generator=generator)
    shuffled = labels[order]
    present = torch.bincount(labels).nonzero().flatten().tolist()
    chosen = [order[shuffled == label][:count] for label in present]
    return torch.cat(chosen).sort().values
