"""One data set, ready to train on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from didact._core.errors import DataError
from didact.data.splits.split import AnySplit
from didact.data.splits.targets import TaskName, check_targets, is_labelled


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Three splits and what is known about them.

    Args:
        name: What the user asked for, such as ``"digits"``.
        train: What the student learns from; its labels carry the label noise, if any.
        validation: Carved out of the training images; may be empty. Choose on this one.
        test: Never touched by ``labelled``, ``label_noise`` or the seed.
        class_names: One per class; of labels or numbers to predict, one for each of them.
        mean: Per channel, of the training images in 0..1 units (float images: in their own).
        std: Per channel, likewise.
        labelled: Bool ``[len(train)]``: which training labels may be used.
        task: What the labels are.

    Raises:
        DataError: The splits do not fit each other: other image shapes, labels outside the
            classes.
    """

    name: str
    train: AnySplit
    validation: AnySplit
    test: AnySplit
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    labelled: Tensor
    task: TaskName = "single-label"

    def __post_init__(self) -> None:
        for what, split in (
            ("training", self.train),
            ("validation", self.validation),
            ("test", self.test),
        ):
            where = f"{self.name}, {what}"
            check_targets(split.labels, len(self.class_names), self.task, where)
            if len(split) and split.image_shape != self.image_shape:
                raise DataError(
                    f"{self.name}: {what} images are {split.image_shape} and training images are "
                    f"{self.image_shape}; all must have one size"
                )
            if len(split) and (found := _dtype(split)) != _dtype(self.train):
                raise DataError(
                    f"{self.name}: {what} images are {found} and training images are "
                    f"{_dtype(self.train)}; all must be of one type, or they would be normalised "
                    "differently"
                )
        if self.labelled.shape != (len(self.train),):
            raise DataError(
                f"{self.name}: labelled has shape {tuple(self.labelled.shape)}; expected one bool "
                f"for each of the {len(self.train)} training images"
            )

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Channels, height, width."""
        return self.train.image_shape

    @property
    def num_classes(self) -> int:
        """How many classes there are: the width of what a model gives."""
        return len(self.class_names)

    @property
    def is_table(self) -> bool:
        """Whether a sample is a row of numbers and no image."""
        return len(self.image_shape) == 1

    def units(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``[K]`` of the numbers to predict, of usable labels."""
        known = self.train.labels[self.labelled & is_labelled(self.train.labels)].double()
        deviation = known.std(dim=0, correction=0)
        safe = torch.where(deviation > 1e-12, deviation, torch.ones_like(deviation))
        return known.mean(dim=0).float(), safe.float()


def _dtype(split: AnySplit) -> torch.dtype:
    return split.take(torch.zeros(1, dtype=torch.int64)).dtype
