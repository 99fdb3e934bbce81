"""Several splits as one."""

from __future__ import annotations

import torch
from torch import Tensor

from didact.data.splits.split import AnySplit, Split, StreamedSplit


def joined(*splits: AnySplit) -> AnySplit:
    """The images of all splits, one split behind the other; empty ones are left out.

    In memory if all are; else the images of the streamed ones are still read when asked for.

    Example:
        >>> import torch
        >>> from didact.data import Split, joined
        >>> one = Split(torch.zeros(2, 1, 4, 4, dtype=torch.uint8), torch.tensor([0, 1]))
        >>> joined(one, one).labels.tolist()
        [0, 1, 0, 1]
    """
    filled = [split for split in splits if len(split)] or [splits[0]]
    if len(filled) == 1:
        return filled[0]
    labels = torch.cat([split.labels for split in filled])
    if all(isinstance(split, Split) for split in filled):
        return Split(torch.cat([split.images for split in filled]), labels)
    reader = _Reader(filled)
    varies = any(isinstance(split, StreamedSplit) and split.varies for split in filled)
    return StreamedSplit(reader, torch.arange(len(labels)), labels, splits[0].image_shape, varies)


class _Reader:
    """Reads the image at a position of the whole; it can be sent to a worker process."""

    def __init__(self, splits: list[AnySplit]) -> None:
        self._splits = splits
        self._ends = torch.tensor([len(split) for split in splits]).cumsum(0)

    def __call__(self, position: int) -> Tensor:
        which = int(torch.searchsorted(self._ends, position, right=True))
        split = self._splits[which]
        place = position - int(self._ends[which]) + len(split)
        if isinstance(split, Split):
            return split.take(torch.tensor([place]))[0]
        return split.read(int(split.positions[place]))
