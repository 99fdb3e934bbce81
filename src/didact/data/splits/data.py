"""One data set, ready to train on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from didact._core.errors import DataError
from didact.data.splits.split import AnySplit


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """Three splits and what is known about them.

    Args:
        name: What the user asked for, such as ``"digits"``.
        train: What the student learns from; its labels carry the label noise, if any.
        validation: Carved out of the training images; may be empty. Choose on this one.
        test: Never touched by ``labelled``, ``label_noise`` or the seed.
        class_names: One per class.
        mean: Per channel, of the training images in 0..1 units (float images: in their own).
        std: Per channel, likewise.
        labelled: Bool ``[len(train)]``: which training labels may be used.

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

    def __post_init__(self) -> None:
        for what, split in (
            ("training", self.train),
            ("validation", self.validation),
            ("test", self.test),
        ):
            check_labels(split.labels, len(self.class_names), f"{self.name}, {what}")
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
        if self.labelled.shape != self.train.labels.shape:
            raise DataError(
                f"{self.name}: labelled has shape {tuple(self.labelled.shape)}; expected one bool "
                f"for each of the {len(self.train)} training images"
            )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.train.image_shape

    @property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)


def _dtype(split: AnySplit) -> torch.dtype:
    return split.take(torch.zeros(1, dtype=torch.int64)).dtype


def check_labels(labels: Tensor, num_classes: int, where: str) -> None:
    """Refuse labels outside ``0..num_classes - 1``.

    Raises:
        DataError: There is such a label; the message says which and where.
    """
    outside = ((labels < 0) | (labels >= num_classes)).nonzero().flatten()
    if len(outside):
        index = int(outside[0])
        raise DataError(
            f"{where}: image {index} has label {int(labels[index])}; expected 0..{num_classes - 1} "
            f"({num_classes} classes; {len(outside)} labels are outside)"
        )
