"""Which images of an epoch belong to which process."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Shard(NamedTuple):
    """One process's part ``[start, stop)`` of one global batch, and its weight."""

    start: int
    stop: int
    weight: float


def shards_of_rank(
    size: int, batch_size: int, rank: int, world_size: int, *, drop_last: bool
) -> list[Shard]:
    """The shards of one rank for an epoch of ``size`` images.

    A global batch of ``n`` images is cut like ``torch.tensor_split``: contiguous, the first
    ``n % world_size`` shards one longer. The weight is ``len(shard) * world_size / n``. A rank for
    which nothing is left gets the last image of the batch with weight 0.
    """
    global_size = batch_size * world_size
    shards = []
    for begin in range(0, size, global_size):
        count = min(global_size, size - begin)
        if drop_last and count < global_size:
            break
        base, longer = divmod(count, world_size)
        length = base + (rank < longer)
        start = begin + rank * base + min(rank, longer)
        if length == 0:
            shards.append(Shard(begin + count - 1, begin + count, 0.0))
        else:
            shards.append(Shard(start, start + length, length * world_size / count))
    return shards


def label_weights(
    labelled: Tensor, shards: list[Shard], global_size: int, world_size: int
) -> list[float]:
    """The weight of each shard's mean over its labelled images; 0 if it has none.

    Args:
        labelled: Bool ``[N]``, in the order of the epoch.
        shards: Those of one rank.
        global_size: Images in a full global batch.
        world_size: How many processes there are.
    """
    before = [0, *labelled.cumsum(0).tolist()]
    weights = []
    for start, stop, weight in shards:
        begin = start - start % global_size
        in_batch = before[min(begin + global_size, len(labelled))] - before[begin]
        in_shard = before[stop] - before[start] if weight else 0
        weights.append(in_shard * world_size / in_batch if in_batch else 0.0)
    return weights
