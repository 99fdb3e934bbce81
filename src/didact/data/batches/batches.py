"""Batches whose order and augmentation are a function of (seed, epoch, position) alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from didact._core.errors import RangeError, ShapeError, UsageError
from didact.data.batches.augment import Augmentation
from didact.data.batches.mixing import Mixing, MixPlan, mixed_labels
from didact.data.batches.pixels import (
    CachedPixels,
    Epoch,
    Normaliser,
    Pixels,
    ResidentPixels,
    StreamedPixels,
)
from didact.data.batches.shards import Shard, label_weights, shards_of_rank
from didact.data.splits.seeds import generator_for
from didact.data.splits.split import AnySplit, Split
from didact.data.splits.targets import is_labelled, without_label

DEFAULT_CACHE_BYTES = 512 * 1024**2


class Batch(NamedTuple):
    """What one process trains on in one step.

    Attributes:
        images: Float32 ``[B, C, H, W]``, augmented and normalised; of a table ``[B, F]``.
        labels: int64 ``[B]``; -1 where the label may not be used. Where a sample has no single
            class, or images are mixed, float32 ``[B, K]`` with NaN in its place.
        indices: int64 ``[B]``, the places of the images in the split.
        weight: By how much to multiply a mean over this batch so that the mean over all processes
            is the mean over the global batch. 1 for one process, and for equal shards.
        label_weight: Likewise for a mean over the labelled images only.
    """

    images: Tensor
    labels: Tensor
    indices: Tensor
    weight: float = 1.0
    label_weight: float = 1.0


class Batches:
    """Walks through a split, epoch after epoch.

    The order of epoch ``e`` and what the augmentation does to the ``n``-th image of that order are
    functions of ``(seed, e, n)``. There is no state: a run that is taken up again at batch ``k``
    with ``epoch(e, start=k)`` sees what the uninterrupted run would have seen.

    **Several processes.** The global batch has ``batch_size * world_size`` images; it is the same
    whatever the number of processes, and rank ``r`` takes the ``r``-th of ``world_size``
    contiguous shards, whose sizes differ by at most one. Hence every rank has the same number of
    batches and 2 processes x 32 see what 1 process x 64 sees. The last global batch may be short:
    then ``Batch.weight`` makes the mean over the processes that of the global batch. If it has
    fewer images than there are processes, a rank without any gets the last image with weight 0:
    never an empty batch, and nothing counts twice. ``drop_last`` leaves a short global batch out.

    Args:
        split: What to walk through.
        batch_size: Images per process and step.
        seed: With the epoch's number, decides order and augmentation.
        shuffle: Whether the order is drawn anew for each epoch; else it is that of the split.
        augment: One of ``AUGMENTATIONS``, such as ``"crop-flip"``.
        mean: Per channel, as in :class:`Data`.
        std: Likewise.
        labelled: Bool ``[N]``; other labels become -1. All may be used if ``None``.
        rank: Which process this is.
        world_size: How many processes there are.
        drop_last: Whether to leave out a last global batch that is not full.
        device: Where the batches are put. Images in memory are moved there once.
        workers: Processes that read a streamed split; 0 reads in this one.
        sampling: ``[N]``, how often each image comes in proportion to the others: each epoch
            draws as many as there are, with replacement. Each comes once if ``None``.
        mixing: Mixup or CutMix.
        num_classes: How many classes there are; wanted where images with class numbers are mixed.
        cache_bytes: Up to this size, normalised floats (or the padded images, where there are
            crops) are kept; above it, they are made batch by batch. The result is the same.

    Raises:
        RangeError: ``batch_size``, ``rank``, ``world_size`` or ``std`` is out of range.
        ShapeError: ``mean``, ``std``, ``sampling`` or ``labelled`` does not fit the split.
        UnknownNameError: There is no such augmentation.
        UsageError: ``drop_last`` would leave nothing.

    Example:
        >>> batches = Batches(data.train, batch_size=64, seed=0, shuffle=True,
        ...                   mean=data.mean, std=data.std)
        >>> for batch in batches.epoch(1):
        ...     loss = step(batch.images, batch.labels)
    """

    def __init__(
        self,
        split: AnySplit,
        *,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = False,
        augment: str = "none",
        mean: Sequence[float] | Tensor,
        std: Sequence[float] | Tensor,
        labelled: Tensor | None = None,
        rank: int = 0,
        world_size: int = 1,
        drop_last: bool = False,
        device: torch.device | str = "cpu",
        workers: int = 0,
        sampling: Tensor | None = None,
        mixing: Mixing | None = None,
        num_classes: int = 0,
        cache_bytes: int = DEFAULT_CACHE_BYTES,
    ) -> None:
        _check_numbers(batch_size, rank, world_size, workers)
        self.split = split
        self._size, self._seed, self._shuffle = len(split), seed, shuffle
        self._device = torch.device(device)
        self._world_size, self._global_size = world_size, batch_size * world_size
        self._shards = shards_of_rank(self._size, batch_size, rank, world_size, drop_last=drop_last)
        if self._size and not self._shards:
            raise UsageError(
                f"drop_last leaves no batch: there are {self._size} images and a global batch has "
                f"{self._global_size}; make the batch smaller or keep the last one"
            )
        self._augmentation = Augmentation.named(augment, split.image_shape)
        self._sampling = _checked_sampling(sampling, self._size)
        self._mixing = mixing if mixing is not None and mixing.enabled else None
        self._num_classes = num_classes
        self._labels = _usable_labels(split.labels, labelled).to(self._device)
        self.all_labelled = labelled is None or bool(labelled.all())
        normalise = _normaliser(mean, std, split.image_shape, self._device)
        self._pixels = _choose_pixels(
            split, normalise, self._augmentation, self._device, seed, workers, cache_bytes
        )

    def __len__(self) -> int:
        """How many batches an epoch has; the same on every rank."""
        return len(self._shards)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch, from batch ``start`` on.

        Raises:
            RangeError: ``number`` is negative or ``start`` is not in ``0..len(self)``.
        """
        if number < 0 or not 0 <= start <= len(self):
            raise RangeError(
                f"epoch is {number} and start is {start}; expected an epoch of at least 0 and a "
                f"start in 0..{len(self)}"
            )
        return self._batches(number, self._shards[start:])

    def _batches(self, number: int, shards: list[Shard]) -> Iterator[Batch]:
        order = self._order(number)
        generator = generator_for(self._seed, "augmentation", number)
        plan = self._augmentation.draw(self._size, generator, self._device)
        labels = self._labels[order]
        spans = [(shard.start, shard.stop) for shard in shards]
        images = self._pixels.shards(Epoch(number, order, plan, spans))
        if self._mixing is not None:
            shape = self.split.image_shape
            mix = self._mixing.draw(labels, shape, self._seed, number)
            others = Epoch(number, order[mix.partner], plan.at(mix.partner), spans)
            images = _mixed(mix, images, self._pixels.shards(others), spans)
            labels = mixed_labels(labels, mix, self._num_classes)
        weights = self._label_weights(labels, shards)
        for shard, pixels, label_weight in zip(shards, images, weights, strict=True):
            start, stop, weight = shard
            yield Batch(pixels, labels[start:stop], order[start:stop], weight, label_weight)

    def _order(self, number: int) -> Tensor:
        if not self._shuffle:
            return torch.arange(self._size, device=self._device)
        generator = generator_for(self._seed, "order", number)
        if self._sampling is not None:
            drawn = torch.multinomial(
                self._sampling, self._size, replacement=True, generator=generator
            )
            return drawn.to(self._device)
        return torch.randperm(self._size, generator=generator).to(self._device)

    def _label_weights(self, labels: Tensor, shards: list[Shard]) -> list[float]:
        if self._world_size == 1 or self.all_labelled:
            return [shard.weight for shard in shards]
        return label_weights(is_labelled(labels), shards, self._global_size, self._world_size)


def _mixed(
    mix: MixPlan,
    images: Iterator[Tensor],
    others: Iterator[Tensor],
    spans: Sequence[tuple[int, int]],
) -> Iterator[Tensor]:
    for own, other, span in zip(images, others, spans, strict=True):
        yield mix.images(own, other, *span)


def _checked_sampling(sampling: Tensor | None, size: int) -> Tensor | None:
    if sampling is not None and (sampling.shape != (size,) or float(sampling.sum()) <= 0):
        raise ShapeError(
            f"sampling is {tuple(sampling.shape)}; expected ({size},), one number of at least 0 "
            "for each image of the split, not all 0"
        )
    return None if sampling is None else sampling.double()


def _check_numbers(batch_size: int, rank: int, world_size: int, workers: int) -> None:
    if batch_size < 1:
        raise RangeError(f"batch_size is {batch_size}; expected at least 1")
    if world_size < 1 or not 0 <= rank < world_size:
        raise RangeError(
            f"rank is {rank} of {world_size} processes; expected a rank in 0..world_size - 1"
        )
    if workers < 0:
        raise RangeError(f"workers is {workers}; expected at least 0")


def _usable_labels(labels: Tensor, labelled: Tensor | None) -> Tensor:
    if labelled is None:
        return labels
    if labelled.shape != labels.shape[:1] or labelled.dtype != torch.bool:
        raise ShapeError(
            f"labelled is {labelled.dtype} {tuple(labelled.shape)}; expected bool "
            f"({len(labels)},), one for each image of the split"
        )
    return without_label(labels, labelled)


def _normaliser(
    mean: Sequence[float] | Tensor,
    std: Sequence[float] | Tensor,
    image_shape: tuple[int, ...],
    device: torch.device,
) -> Normaliser:
    channels, dimensions = image_shape[0], len(image_shape)
    tensors = [torch.as_tensor(v, dtype=torch.float32).flatten() for v in (mean, std)]
    if any(len(tensor) != channels for tensor in tensors):
        raise ShapeError(
            f"mean and std have {len(tensors[0])} and {len(tensors[1])} numbers; expected "
            f"{channels}, one per channel"
        )
    if not bool((tensors[1] > 0).all()):
        raise RangeError(f"std is {tensors[1].tolist()}; expected numbers above 0")
    shape = (1, channels, *[1] * (dimensions - 1))
    shaped_mean, shaped_std = (tensor.view(shape).to(device) for tensor in tensors)
    return Normaliser(shaped_mean, shaped_std)


def _choose_pixels(
    split: AnySplit,
    normalise: Normaliser,
    augmentation: Augmentation,
    device: torch.device,
    seed: int,
    workers: int,
    cache_bytes: int,
) -> Pixels:
    if not isinstance(split, Split):
        return StreamedPixels(split, normalise, augmentation, device, seed, workers)
    changes = augmentation.moves_pixels or augmentation.brightness
    if not changes and len(split) * math.prod(split.image_shape) * 4 <= cache_bytes:
        return CachedPixels(split, normalise, device)
    return ResidentPixels(split, normalise, augmentation, device, cache_bytes)
