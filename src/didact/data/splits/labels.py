"""Small things about labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def distinct(labels: Tensor) -> list[int]:
    """The labels that occur, ascending."""
    return sorted(set(labels.tolist()))


def places_of(labels: Tensor, wanted: Sequence[int]) -> Tensor:
    """Where one of the wanted labels stands, int64."""
    return torch.isin(labels, torch.tensor(list(wanted), dtype=torch.int64)).nonzero().flatten()


def mapped(labels: Tensor, order: Sequence[int]) -> Tensor:
    """Each label's place in ``order``, -1 where it has none."""
    table = torch.full((max([*order, *distinct(labels)]) + 1,), -1, dtype=torch.int64)
    table[torch.tensor(list(order))] = torch.arange(len(order))
    return table[labels]
