"""What a model was trained to see, and in what units it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import UsageError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
NAMES = ("data", "none", "imagenet")


@dataclass(frozen=True)
class Normalisation:
    """``(image - mean) / std`` per channel, of images in 0..1.

    Attributes:
        mean: One number for each channel, or one for all.
        std: Likewise, above 0.
        name: How the user writes it.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    name: str

    @classmethod
    def read(
        cls,
        text: str | Sequence[Sequence[float]],
        data_mean: Sequence[float],
        data_std: Sequence[float],
    ) -> Normalisation:
        """From what the user says.

        Args:
            text: ``"data"``: the statistics of the training images. ``"none"``: images in 0..1 as
                they are. ``"imagenet"``: the constants of ImageNet. ``"MEAN/STD"``: numbers with
                commas between channels, such as ``0.5/0.5``. In Python also a pair.
            data_mean: Per channel, of the training images.
            data_std: Likewise.

        Raises:
            UsageError: None of these.
        """
        if not isinstance(text, str):
            mean, std = (tuple(float(v) for v in part) for part in text)
            return cls._checked(mean, std, f"{_listed(mean)}/{_listed(std)}")
        if text == "data":
            return cls(tuple(data_mean), tuple(data_std), "data")
        if text == "none":
            return cls((0.0,), (1.0,), "none")
        if text == "imagenet":
            return cls(*IMAGENET, "imagenet")
        try:
            left, right = text.split("/")
            mean, std = (tuple(float(v) for v in part.split(",")) for part in (left, right))
        except ValueError:
            raise UsageError(
                f"the normalisation is {text!r}; expected none, imagenet, data, or MEAN/STD such "
                "as 0.5/0.5 or 0.49,0.48,0.45/0.25,0.24,0.26"
            ) from None
        return cls._checked(mean, std, text)

    @classmethod
    def _checked(cls, mean: tuple[float, ...], std: tuple[float, ...], name: str) -> Normalisation:
        if len({len(mean), len(std)} - {1}) > 1 or min(std, default=0.0) <= 0 or not mean:
            raise UsageError(
                f"the normalisation is {name}; expected one number or one for each channel on both "
                "sides, those on the right above 0"
            )
        return cls(mean, std, name)

    @property
    def channels(self) -> int:
        """How many channels it speaks of; 1 where it is the same for all."""
        return max(len(self.mean), len(self.std))


def candidates(data_mean: Sequence[float], data_std: Sequence[float]) -> list[Normalisation]:
    """What a model of unknown origin may have been trained on, the likeliest first."""
    names = ["data", "none", "0.5/0.5", f"0/{1 / 255:.6g}"]
    if len(data_mean) in (1, 3):
        names.insert(2, "imagenet")
    return [Normalisation.read(name, data_mean, data_std) for name in names]


class OwnInputs(nn.Module):
    """A model that is given images as it was trained to see them.

    The images come normalised by the data's statistics. They are brought back to 0..1, resized and
    given as many channels as wanted, and normalised by the model's own.

    Args:
        model: The model.
        own: Its normalisation.
        data_mean: By which the images that come are normalised.
        data_std: Likewise.
        size: Height and width that the model wants; None for those that come.

    Attributes:
        model: The model.
        own: Its normalisation.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        model: nn.Module,
        own: Normalisation,
        data_mean: Sequence[float],
        data_std: Sequence[float],
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.own = own
        self.size = size
        self.channels = max(own.channels, len(data_mean))
        mean, std = torch.tensor(own.mean), torch.tensor(own.std)
        scale = torch.tensor(data_std) / std
        shift = (torch.tensor(data_mean) - mean) / std
        self.register_buffer("scale", scale.reshape(1, -1, 1, 1), persistent=False)
        self.register_buffer("shift", shift.reshape(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """The model's logits of images in the data's normalisation."""
        scale, shift = self.scale, self.shift
        if images.dim() == 2:  # the rows of a table
            return cast("Tensor", self.model(images * scale.flatten() + shift.flatten()))
        if images.shape[1] < self.channels:
            images = images.expand(-1, self.channels, -1, -1)
        if self.size is not None and tuple(images.shape[2:]) != self.size:
            images = F.interpolate(
                images, size=self.size, mode="bilinear", align_corners=False, antialias=True
            )
        logits: Tensor = self.model(images * scale + shift)
        return logits


class OwnUnits(nn.Module):
    """A model of numbers that answers in the units of the data: ``model(x) * std + mean``.

    What is trained is the model, on targets of mean 0 and deviation 1, whatever they are.

    Args:
        model: The model.
        mean: Of each number that it predicts, in the training data.
        std: Likewise, above 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: nn.Module, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("mean", mean.clone(), persistent=False)
        self.register_buffer("std", std.clone(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Numbers ``(batch, K)`` in the units of the data."""
        standard: Tensor = self.model(images)
        return standard.float() * self.std + self.mean


def _listed(values: Sequence[float]) -> str:
    return ",".join(f"{value:g}" for value in values)
