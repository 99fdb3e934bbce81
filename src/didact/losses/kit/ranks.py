"""The same memory on every process of a distributed run."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def several_ranks() -> bool:
    """Whether this process is one of several."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def from_all_ranks(rows: Tensor) -> Tensor:
    """The rows of all processes, in rank order; the batches need not be of one size."""
    if not several_ranks():
        return rows
    counts = [torch.zeros(1, dtype=torch.int64, device=rows.device) for _ in range(_world())]
    dist.all_gather(counts, torch.tensor([len(rows)], device=rows.device))
    sizes = [int(count) for count in counts]
    padded = rows.new_zeros(max(sizes), *rows.shape[1:])
    padded[: len(rows)] = rows
    gathered = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(gathered, padded)
    return torch.cat([part[:size] for part, size in zip(gathered, sizes, strict=True)])


def mean_of_ranks(value: Tensor) -> Tensor:
    """The mean over processes."""
    if not several_ranks():
        return value
    total = value.clone()
    dist.all_reduce(total)
    return total / _world()


def _world() -> int:
    return dist.get_world_size()
