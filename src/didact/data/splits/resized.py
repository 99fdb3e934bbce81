"""Images of another size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from didact.data.splits.split import AnySplit, Split

_AT_ONCE = 512


def resized(split: AnySplit, size: tuple[int, int]) -> AnySplit:
    """The same images scaled until they cover ``size`` and cut at the centre.

    Args:
        split: Any; a streamed one is resized as it is read.
        size: Height and width.
    """
    if split.image_shape[1:] == size:
        return split
    if not isinstance(split, Split):
        shape = (split.image_shape[0], *size)
        return replace(split, read=_ResizedReader(split.read, size), image_shape=shape)
    images = split.whole.new_empty((len(split), split.image_shape[0], *size))
    for start in range(0, len(split), _AT_ONCE):
        part = split.take(torch.arange(start, min(start + _AT_ONCE, len(split))))
        images[start : start + len(part)] = cover(part, size)
    return Split(images, split.labels)


@dataclass(frozen=True, slots=True)
class _ResizedReader:
    read: Callable[[int], Tensor]
    size: tuple[int, int]

    def __call__(self, position: int) -> Tensor:
        return cover(self.read(position).unsqueeze(0), self.size)[0]


def cover(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images ``[N, C, H, W]`` scaled until they cover a size, bilinearly, cut at the centre."""
    height, width = images.shape[2:]
    scale = max(size[0] / height, size[1] / width)
    scaled = (math.ceil(height * scale - 1e-6), math.ceil(width * scale - 1e-6))
    floats = F.interpolate(
        images.float(), size=scaled, mode="bilinear", align_corners=False, antialias=True
    )
    top, left = (scaled[0] - size[0]) // 2, (scaled[1] - size[1]) // 2
    part = floats[..., top : top + size[0], left : left + size[1]]
    return part.round().clamp(0, 255).to(torch.uint8) if images.dtype == torch.uint8 else part
