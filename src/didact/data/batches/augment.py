"""Random crops, flips and brightness for a whole batch at once, on the tensor itself.

Everything random is drawn for a whole epoch beforehand (:class:`AugmentPlan`), so what happens to
the n-th image of an epoch does not depend on how the epoch is cut into batches or shared out
among processes. A crop is one gather from a view of all crops of the padded image; on the CPU, a
copy of whole rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from didact._core.errors import UnknownNameError, UsageError
from didact._core.lookup import suggest
from didact.data.splits.split import Split

_PARTS = ("crop", "flip", "brightness")
_CROP_BY = re.compile(r"\bcrop([1-9]\d{0,2})\b")
AUGMENTATIONS = (
    "none",
    *("-".join(chosen) for n in (1, 2, 3) for chosen in combinations(_PARTS, n)),
)
BRIGHTNESS = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class AugmentPlan:
    """What happens to each of ``N`` images: all tensors are ``[N]`` (or ``None``: not at all)."""

    flip: Tensor | None
    down: Tensor | None
    right: Tensor | None
    brightness: Tensor | None

    def part(self, positions: slice) -> AugmentPlan:
        """The plan of some of the images."""
        return self.at(positions)

    def at(self, positions: slice | Tensor) -> AugmentPlan:
        """The plan of the images at these places, in their order."""
        values = (self.flip, self.down, self.right, self.brightness)
        return AugmentPlan(*(None if v is None else v[positions] for v in values))


@dataclass(frozen=True, slots=True)
class Augmentation:
    """A named augmentation for images of one size.

    ``"crop"`` pads each side by an eighth of the shorter side (4 of 32 pixels, 1 of 8) with zeros
    and cuts a random window of the original size; ``"crop2"`` pads by 2 pixels, so that the image
    moves by up to 2 in any direction. ``"flip"`` mirrors left and right with chance 1/2;
    ``"brightness"`` multiplies by a factor in ``[0.75, 1.25]``. They are joined by hyphens:
    ``"crop-flip"``.
    """

    crop: bool
    flip: bool
    brightness: bool
    padding: int

    @classmethod
    def named(cls, name: str, image_shape: tuple[int, ...]) -> Augmentation:
        """The augmentation called ``name``.

        Raises:
            UnknownNameError: No augmentation has this name.
            UsageError: It is for images, and these are the rows of a table.
        """
        by = _CROP_BY.search(name)
        plain = _CROP_BY.sub("crop", name)
        if plain not in AUGMENTATIONS:
            raise UnknownNameError(
                f"no augmentation is called {name!r}; {suggest(name, AUGMENTATIONS)}"
            )
        if name != "none" and len(image_shape) != 3:
            raise UsageError(f"this data is a table, and --augment {name} is for images")
        parts = plain.split("-")
        crop = "crop" in parts
        usual = max(1, min(image_shape[1:]) // 8) if crop else 0
        padding = int(by[1]) if by else usual
        return cls(crop, "flip" in parts, "brightness" in parts, padding)

    @property
    def moves_pixels(self) -> bool:
        """Whether there is a crop or a flip."""
        return self.crop or self.flip

    def draw(self, count: int, generator: torch.Generator, device: torch.device) -> AugmentPlan:
        """Draw what happens to ``count`` images. The generator is on the CPU."""

        def integers(high: int) -> Tensor:
            return torch.randint(high, (count,), generator=generator).to(device)

        window = 2 * self.padding + 1
        zero = torch.zeros(count, dtype=torch.int64, device=device) if self.moves_pixels else None
        factor = None
        if self.brightness:
            drawn = torch.rand(count, generator=generator).to(device)
            factor = (1 - BRIGHTNESS + 2 * BRIGHTNESS * drawn).view(-1, 1, 1, 1)
        return AugmentPlan(
            flip=integers(2) if self.flip else zero,
            down=integers(window) if self.crop else zero,
            right=integers(window) if self.crop else zero,
            brightness=factor,
        )

    def padded_views(self, images: Tensor) -> Tensor:
        """A view ``[flips, N, C, down, right, H, W]`` of all crops of the padded images.

        The padded copy (twice, where there is a flip) is the memory that this costs.
        """
        height, width = images.shape[2:]
        padded = F.pad(images, (self.padding,) * 4)
        both = torch.stack([padded, padded.flip(-1)]) if self.flip else padded.unsqueeze(0)
        return both.unfold(3, height, 1).unfold(4, width, 1)

    def bytes_of_padded_views(self, split: Split) -> int:
        """How many bytes :meth:`padded_views` allocates for the images of a split."""
        channels, *sides = split.image_shape
        height, width = (side + 2 * self.padding for side in sides)
        copies = 2 if self.flip else 1
        return copies * len(split) * channels * height * width * split.whole.element_size()


def chosen_views(views: Tensor, indices: Tensor, plan: AugmentPlan) -> Tensor:
    """The crops that the plan chooses of the images at ``indices``, ``[B, C, H, W]``."""
    if views.device.type == "cpu" and views.stride(-1) == 1:
        return _rows_copied(views, indices, plan)
    chosen: Tensor = views[plan.flip, indices, :, plan.down, plan.right]
    return chosen


def _rows_copied(views: Tensor, indices: Tensor, plan: AugmentPlan) -> Tensor:
    """The same, a row of ``W`` pixels at a time.

    A gather copies pixel after pixel. The row of a window lies in one piece, wherever it begins.
    NumPy has a type for ``W`` pixels in a piece and takes an array in which one begins at each
    pixel, which torch does not; gathering rows takes a fifth of the time.
    """
    *_, channels, _, _, height, width = views.shape
    flips, images, channel, down, right, line, _ = views.stride()
    extent = zip(views.shape, views.stride(), strict=True)
    reach = sum((size - 1) * step for size, step in extent)
    pixels = views.as_strided((reach + 1,), (1,)).numpy()
    row = np.dtype((np.void, width * pixels.itemsize))
    rows: Any = np.ndarray((reach + 2 - width,), row, pixels, strides=(pixels.itemsize,))
    first = indices * images
    for place, step in ((plan.flip, flips), (plan.down, down), (plan.right, right)):
        if place is not None:
            first = first + place * step
    inside = torch.arange(channels).view(-1, 1) * channel + torch.arange(height) * line
    chosen = rows[(first.view(-1, 1, 1) + inside).numpy()].view(pixels.dtype)
    return torch.from_numpy(chosen).view(len(indices), channels, height, width)
