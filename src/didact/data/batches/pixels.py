"""From shards of an epoch to normalised float images: three ways, one result.

* all images normalised once and kept as floats (small data, no augmentation);
* uint8 images in memory, gathered, augmented and normalised batch by batch;
* images read through a DataLoader, then augmented and normalised in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from didact._core.errors import DataError
from didact.data.batches.augment import Augmentation, AugmentPlan, chosen_views
from didact.data.splits.seeds import derived_seed
from didact.data.splits.split import Split, StreamedSplit

_COPIED_WHOLE = 16 * 1024**2


@dataclass(frozen=True, slots=True, eq=False)
class Epoch:
    """What is drawn for one epoch, and which parts of it to give.

    Args:
        number: Of the epoch.
        order: int64 ``[N]``, the indices of the images in the order in which they come.
        plan: The augmentation of each, in the same order.
        spans: The parts ``[start, stop)`` of ``order`` to give, one per batch.
    """

    number: int
    order: Tensor
    plan: AugmentPlan
    spans: Sequence[tuple[int, int]]


class Pixels(Protocol):
    """Gives the images of each span of an epoch, normalised float32."""

    def shards(self, epoch: Epoch) -> Iterator[Tensor]:
        """One tensor ``[stop - start, C, H, W]`` for each span."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Normaliser:
    """``(image - mean) / std`` per channel; uint8 images count in units of 1/255."""

    mean: Tensor
    std: Tensor

    def __call__(self, images: Tensor, brightness: Tensor | None = None) -> Tensor:
        """Float32 images from uint8 or float32 ones, brightened before they are normalised."""
        scale = 255.0 if images.dtype == torch.uint8 else 1.0
        layout = torch.contiguous_format
        floats = images.to(torch.float32, copy=True, memory_format=layout)
        if brightness is not None:
            floats.mul_(brightness)
            if images.dtype == torch.uint8:
                floats.clamp_(max=255.0)
        return floats.sub_(self.mean * scale).div_(self.std * scale)


class CachedPixels:
    """All images, normalised once.

    Of a small set, an epoch is one shuffled copy and a batch is a slice of it, which is the least
    work per batch. Of a larger one that copy would cost more, in fresh memory, than it saves.
    """

    def __init__(self, split: Split, normalise: Normaliser, device: torch.device) -> None:
        self._images = normalise(split.images.to(device))

    def shards(self, epoch: Epoch) -> Iterator[Tensor]:
        """See :class:`Pixels`."""
        if self._images.numel() * self._images.element_size() > _COPIED_WHOLE:
            for start, stop in epoch.spans:
                yield self._images[epoch.order[start:stop]]
            return
        shuffled = self._images[epoch.order]
        for start, stop in epoch.spans:
            yield shuffled[start:stop]


class ResidentPixels:
    """uint8 (or float) images in memory, with the views of all crops if they fit."""

    def __init__(
        self,
        split: Split,
        normalise: Normaliser,
        augmentation: Augmentation,
        device: torch.device,
        cache_bytes: int,
    ) -> None:
        if device.type != "cpu":
            split = Split(split.images.to(device), split.labels)
        self._split, self._normalise, self._augmentation = split, normalise, augmentation
        moves = augmentation.moves_pixels
        keep = moves and augmentation.bytes_of_padded_views(split) <= cache_bytes
        self._views = augmentation.padded_views(split.images) if keep else None

    def shards(self, epoch: Epoch) -> Iterator[Tensor]:
        """See :class:`Pixels`."""
        for start, stop in epoch.spans:
            part, indices = epoch.plan.part(slice(start, stop)), epoch.order[start:stop]
            if self._views is not None:
                images = chosen_views(self._views, indices, part)
            else:
                images = crop_and_flip(self._augmentation, self._split.take(indices), part)
            yield self._normalise(images, part.brightness)


class StreamedPixels:
    """Images read by a DataLoader, in worker processes if asked for."""

    def __init__(
        self,
        split: StreamedSplit,
        normalise: Normaliser,
        augmentation: Augmentation,
        device: torch.device,
        seed: int,
        workers: int,
    ) -> None:
        self._split, self._normalise, self._augmentation = split, normalise, augmentation
        self._device, self._seed, self._workers = device, seed, workers

    def shards(self, epoch: Epoch) -> Iterator[Tensor]:
        """See :class:`Pixels`."""
        positions = epoch.order.tolist()
        loader: DataLoader[Tensor] = DataLoader(
            _Reader(self._split, derived_seed(self._seed, "stream", epoch.number)),
            batch_sampler=[positions[start:stop] for start, stop in epoch.spans],
            num_workers=self._workers,
            collate_fn=_as_it_is,
            pin_memory=self._device.type == "cuda",
            generator=torch.Generator(),  # else the loader draws from the global one
        )
        for (start, stop), read in zip(epoch.spans, loader, strict=True):
            if isinstance(read, DataError):
                raise read
            part = epoch.plan.part(slice(start, stop))
            images = read.to(self._device, non_blocking=True)
            yield self._normalise(crop_and_flip(self._augmentation, images, part), part.brightness)


class _Reader(Dataset[Tensor]):
    """Reads whole batches; an error travels as a value, which a worker process cannot reword."""

    def __init__(self, split: StreamedSplit, seed: int) -> None:
        self._split, self._seed = split, seed

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> Tensor:
        return self._split.take([index], seed=self._seed)[0]

    def __getitems__(self, indices: list[int]) -> Tensor | DataError:
        try:
            return self._split.take(indices, seed=self._seed)
        except DataError as error:
            return error


def _as_it_is(batch: Any) -> Any:
    return batch


def crop_and_flip(augmentation: Augmentation, images: Tensor, plan: AugmentPlan) -> Tensor:
    """Crop and flip a batch whose views are not kept."""
    if not augmentation.moves_pixels:
        return images
    indices = torch.arange(len(images), device=images.device)
    return chosen_views(augmentation.padded_views(images), indices, plan)
