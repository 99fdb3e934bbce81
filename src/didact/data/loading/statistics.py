"""Mean and standard deviation of each channel of the training images, of each column of a table."""

from __future__ import annotations

import torch
from torch import Tensor

from didact._core.errors import NonFiniteError
from didact.data.splits.split import AnySplit, Split

STREAMED_SAMPLE = 2048
_CHUNK = 1024


def channel_statistics(split: AnySplit) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation per channel, summed in float64.

    uint8 images count in 0..1 units, float images in their own. Of a streamed split at most
    ``STREAMED_SAMPLE`` images are read, evenly spaced. A channel that never changes has a standard
    deviation of 1, so that normalising it is harmless.

    Raises:
        NonFiniteError: Float images contain NaN or infinity.
        DataError: A streamed image cannot be read.
    """
    sample = torch.arange(len(split))
    if not isinstance(split, Split):
        sample = torch.linspace(0, len(split) - 1, min(len(split), STREAMED_SAMPLE)).long()
    total = torch.zeros(split.image_shape[0], dtype=torch.float64)
    squares, count = torch.zeros_like(total), 0
    for chunk in torch.split(sample, _CHUNK):
        images = _float64(split.take(chunk))
        others = [axis for axis in range(images.ndim) if axis != 1]
        total += images.sum(dim=others)
        squares += images.square().sum(dim=others)
        count += images.numel() // images.shape[1]
    mean = total / count
    variance = (squares / count - mean.square()).clamp(min=0)
    if not torch.isfinite(variance).all():
        raise NonFiniteError("the training images contain NaN or infinity; expected numbers")
    std = torch.where(variance > 1e-12, variance.sqrt(), 1.0)
    return tuple(mean.tolist()), tuple(std.tolist())


def _float64(images: Tensor) -> Tensor:
    if images.dtype == torch.uint8:
        return images.to(torch.float64) / 255
    return images.to(torch.float64)
