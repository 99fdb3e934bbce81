"""Any torch ``Dataset`` of (image, label) as a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from didact._core.errors import DataError, DidactError
from didact.data.splits.split import AnySplit, Split, StreamedSplit

_SAMPLED_FOR_CHANGE = 4


@dataclass(frozen=True, slots=True, eq=False)
class _DatasetReader:
    """From a position to the image of a user's dataset."""

    dataset: Any
    where: str

    def __call__(self, position: int) -> Tensor:
        return self.item(position)[0]

    def item(self, position: int) -> tuple[Tensor, int | Tensor]:
        """Image and label at ``position``, checked."""
        where = f"{self.where}: item {position}"
        try:
            item = self.dataset[position]
        except DidactError:
            raise
        except Exception as error:
            raise DataError(f"{where} failed: {type(error).__name__}: {error}") from error
        if not isinstance(item, (tuple, list)) or len(item) < 2:
            raise DataError(f"{where} is a {type(item).__name__}; expected (image, label)")
        return _image(item[0], where), _label(item[1], where)


def split_of_dataset(dataset: object, where: str, memory_budget: int) -> AnySplit:
    """Read a dataset once, for its labels; keep its images if they fit and never change.

    Raises:
        DataError: It has no length, is empty, or an item is not (image, label).
    """
    try:
        size = len(dataset)  # type: ignore[arg-type]
    except TypeError as error:
        raise DataError(
            f"{where} is a {type(dataset).__name__} without a length; expected a map-style Dataset"
        ) from error
    if size == 0:
        raise DataError(f"{where} is empty; expected a Dataset of (image, label)")
    reader = _DatasetReader(dataset, where)
    first, first_label = reader.item(0)
    labels = _empty_labels(first_label, size)
    whole = StreamedSplit(reader, torch.arange(size), labels, tuple(first.shape))
    varies = _varies(whole)
    keep = not varies and size * first.numel() * first.element_size() <= memory_budget
    images = torch.empty((size, *first.shape), dtype=first.dtype) if keep else None
    for position in range(size):
        image, label = reader.item(position)
        labels[position] = _like_first(label, labels, f"{where}: item {position}")
        if image.shape != first.shape or image.dtype != first.dtype:
            raise DataError(
                f"{where}: item {position} is {image.dtype} {tuple(image.shape)} and item 0 is "
                f"{first.dtype} {tuple(first.shape)}; all images must have one size and type"
            )
        if images is not None:
            images[position] = image
    if images is not None:
        return Split(images, labels)
    return StreamedSplit(reader, whole.positions, labels, whole.image_shape, varies)


def class_names_of(dataset: object) -> Sequence[str] | None:
    """The ``classes`` of a dataset, as torchvision's have them; ``None`` if it has none."""
    names = getattr(dataset, "classes", None)
    if isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names):
        return names
    return None


def _varies(split: StreamedSplit) -> bool:
    """Whether reading an image twice, with other random numbers, gives another image."""
    some = torch.linspace(0, len(split) - 1, min(len(split), _SAMPLED_FOR_CHANGE)).long()
    watched = StreamedSplit(
        split.read, split.positions, split.labels, split.image_shape, varies=True
    )
    takes = [watched.take(some, seed=seed) for seed in range(4)]
    return any(not torch.equal(takes[0], take) for take in takes[1:])


def _image(image: object, where: str) -> Tensor:
    """``[C, H, W]``, uint8 or float32, from a tensor, an array or a Pillow image."""
    if not isinstance(image, Tensor):
        array = np.asarray(image)
        if array.dtype == object or array.ndim not in (1, 2, 3):
            raise DataError(
                f"{where} has a {type(image).__name__} as its image; expected a tensor [C, H, W]"
            )
        is_pillow = not isinstance(image, np.ndarray)
        array = array.transpose(2, 0, 1) if is_pillow and array.ndim == 3 else array
        image = torch.from_numpy(np.array(array))
    if image.ndim == 2:
        image = image.unsqueeze(0)
    if image.ndim == 1 and image.numel():
        return image.to(torch.float32)  # a row of a table
    if image.ndim != 3 or image.numel() == 0:
        raise DataError(f"{where} has an image of shape {tuple(image.shape)}; expected [C, H, W]")
    if image.dtype == torch.uint8:
        return image
    if not image.is_floating_point():
        raise DataError(f"{where} has an image of {image.dtype}; expected uint8 or float")
    return image.to(torch.float32)


def _label(label: object, where: str) -> int | Tensor:
    """A class number, or the numbers ``[K]`` of a sample that has several labels or targets."""
    value: object = label
    if isinstance(label, (Tensor, np.ndarray)) and label.ndim == 0:
        value = label.item()
    if isinstance(value, np.number):
        value = value.item()
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float):
        return torch.tensor([value])
    try:
        numbers = torch.as_tensor(value, dtype=torch.float32)
    except (TypeError, ValueError, RuntimeError):
        numbers = torch.zeros(0)
    if isinstance(value, bool) or numbers.ndim != 1 or not len(numbers):
        raise DataError(
            f"{where} has the label {label!r}; expected a whole number, or several numbers"
        )
    return numbers


def _empty_labels(first: int | Tensor, size: int) -> Tensor:
    if isinstance(first, int):
        return torch.zeros(size, dtype=torch.int64)
    return torch.zeros(size, len(first))


def _like_first(label: int | Tensor, labels: Tensor, where: str) -> int | Tensor:
    if isinstance(label, int) and labels.ndim == 2:
        label = torch.tensor([float(label)])
    fits = labels.ndim == 1 if isinstance(label, int) else label.shape == labels.shape[1:]
    if not fits:
        raise DataError(
            f"{where} has the label {label}, which is of another form than that of item 0; "
            "expected a class number in all of them, or equally many numbers"
        )
    return label
