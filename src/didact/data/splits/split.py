"""The images and labels of one split: all in memory, or read when they are asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from didact._core.errors import DataError, DtypeError, ShapeError
from didact.data.splits.seeds import derived_seed

_READ_AT_ONCE = 256


class Split:
    """Images that lie in memory. A subset shares them with the whole and holds row numbers alone.

    Args:
        images: ``[N, C, H, W]``, uint8 in 0..255, or float32 in the units of their source; or the
            rows of a table, float32 ``[N, F]``.
        labels: int64 ``[N]``, or float32 ``[N, K]`` where a sample has no single class.

    Attributes:
        labels: Of the images of this split.
        whole: The images of the split that this one is a part of, perhaps itself.
        rows: int64 ``[N]``, which of them these are; None for all, in their order.

    Raises:
        ShapeError: The images are not 4-dimensional, or the labels are not one per image.
        DtypeError: The images are neither uint8 nor float32, or the labels are of another type.
    """

    __slots__ = ("labels", "rows", "whole")

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        if images.ndim not in (2, 4):
            raise ShapeError(
                f"images are {tuple(images.shape)}; expected [N, C, H, W], or rows [N, F]"
            )
        _check_labels(labels, len(images))
        if images.dtype not in (torch.uint8, torch.float32):
            raise DtypeError(f"images are {images.dtype}; expected uint8 or float32")
        self.whole, self.labels = images, labels
        self.rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} images of {self.image_shape})"

    @property
    def images(self) -> Tensor:
        """All images at once; of a subset a copy, so prefer :meth:`take`."""
        return self.whole if self.rows is None else self.take(torch.arange(len(self)))

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Channels, height, width; of a table the number of its columns."""
        return tuple(self.whole.shape[1:])

    def take(self, indices: Tensor) -> Tensor:
        """The images at ``indices``, ``[len(indices), C, H, W]``."""
        indices = indices.to(self.whole.device)
        if self.rows is not None:
            indices = self.rows[indices]
        return self.whole[indices].contiguous()

    def subset(self, indices: Tensor) -> Split:
        """The split that has only ``indices``, in their order."""
        rows = torch.arange(len(self)) if self.rows is None else self.rows
        return self._with(rows[indices], self.labels[indices])

    def with_labels(self, labels: Tensor) -> Split:
        """The same images with other labels."""
        _check_labels(labels, len(self))
        return self._with(self.rows, labels)

    def _with(self, rows: Tensor | None, labels: Tensor) -> Split:
        part = Split.__new__(Split)
        part.whole, part.rows, part.labels = self.whole, rows, labels
        return part


def _check_labels(labels: Tensor, count: int) -> None:
    wanted = 2 if labels.is_floating_point() else 1
    if labels.shape[:1] != (count,) or labels.ndim != wanted:
        raise ShapeError(
            f"labels are {tuple(labels.shape)}; expected one for each of the {count} images"
        )
    if labels.dtype not in (torch.int64, torch.float32):
        raise DtypeError(f"labels are {labels.dtype}; expected int64 [N], or float32 [N, K]")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StreamedSplit:
    """Images that are read one by one, each time they are asked for.

    Args:
        read: From a position to one image ``[C, H, W]``, uint8 or float32. It raises
            :class:`DataError` when the image cannot be read.
        positions: int64 ``[N]``, what ``read`` is called with for each image of the split.
        labels: As those of :class:`Split`.
        image_shape: What every image must have.
        varies: Whether ``read`` draws random numbers (a user's own augmentation). Then Python's,
            NumPy's and torch's generators are seeded for each image, and restored.
    """

    read: Callable[[int], Tensor]
    positions: Tensor
    labels: Tensor
    image_shape: tuple[int, ...]
    varies: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} images of {self.image_shape})"

    @property
    def images(self) -> Tensor:
        """All images at once. This reads every one of them: prefer :meth:`take`."""
        if not len(self):
            return self.take([])
        first = self.take([0])
        images = first.new_empty((len(self), *self.image_shape))
        for start in range(0, len(self), _READ_AT_ONCE):
            part = self.take(torch.arange(start, min(start + _READ_AT_ONCE, len(self))))
            images[start : start + len(part)] = part
        return images

    def take(self, indices: Tensor | Sequence[int], *, seed: int = 0) -> Tensor:
        """The images at ``indices``, ``[len(indices), C, H, W]``.

        Args:
            indices: Which images of this split.
            seed: What the random numbers of an image that varies depend on, with its index.

        Raises:
            DataError: An image cannot be read or has another shape than ``image_shape``.
        """
        wanted = torch.as_tensor(indices, dtype=torch.int64).cpu()
        if not len(wanted):
            return torch.empty((0, *self.image_shape), dtype=torch.uint8)
        positions = self.positions[wanted].tolist()
        if not self.varies:
            return torch.stack([self._one(position) for position in positions])
        with _random_state_restored():
            images = []
            for position in positions:
                _seed_everything(derived_seed(seed, "image", position))
                images.append(self._one(position))
        return torch.stack(images)

    def _one(self, position: int) -> Tensor:
        image = self.read(position)
        if tuple(image.shape) != self.image_shape:
            raise DataError(
                f"image {position} is {tuple(image.shape)}; expected {self.image_shape} like the "
                "first one (all images must have one size)"
            )
        return image

    def subset(self, indices: Tensor) -> StreamedSplit:
        """The split that has only ``indices``, in their order."""
        return replace(self, positions=self.positions[indices], labels=self.labels[indices])

    def with_labels(self, labels: Tensor) -> StreamedSplit:
        """The same images with other labels."""
        return replace(self, labels=labels)


AnySplit = Split | StreamedSplit


def _seed_everything(seed: int) -> None:
    torch.default_generator.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the user's transforms draw from the global one


@contextmanager
def _random_state_restored() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
