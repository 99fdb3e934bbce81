"""The usual input pipeline, for ``learn_augment.py`` and ``learn_step.py``.

One PIL image after another in a DataLoader of this process: zeros around it, a random window, a
mirror image with chance 1/2, a random brightness, a float tensor, normalised. In two forms:

- ``torchvision``: the transforms that PyCIL takes, ``RandomCrop(padding=...)``,
  ``RandomHorizontalFlip``, ``ColorJitter(brightness=1/4)``, ``ToTensor`` and ``Normalize``. For it,
  ``pip install --no-deps --target FOLDER torchvision==0.28.0`` and give ``--torchvision FOLDER``.
- ``pil``: the same to a PIL image, as quickly as can be written by hand: less around each step, and
  random numbers from NumPy, which is quicker than a torch scalar for each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from learn_avalanche import declare_operators

MEAN, STD, BRIGHTNESS = 0.5, 0.25, 0.25
Shape = tuple[int, int, int]
Vary = Callable[[Image.Image], Tensor]


class Pictures(Dataset[tuple[Tensor, int]]):
    """PIL images, varied one by one."""

    def __init__(self, images: Tensor, labels: Tensor, vary: Vary) -> None:
        self.arrays = images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = labels.tolist()
        self.vary = vary

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        array = self.arrays[index]
        image = Image.fromarray(array if array.shape[2] == 3 else array[:, :, 0])
        return self.vary(image), self.labels[index]


def by_hand(shape: Shape) -> Vary:
    """The transforms in as few steps as can be."""
    padding = min(shape[1:]) // 8
    mean, std = (torch.full((shape[0], 1, 1), value) for value in (MEAN, STD))

    def vary(image: Image.Image) -> Tensor:
        width, height = image.size
        image = ImageOps.expand(image, padding)
        left, top = np.random.randint(0, 2 * padding + 1, 2)  # noqa: NPY002
        image = image.crop((left, top, left + width, top + height))
        if np.random.random() < 0.5:  # noqa: NPY002
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        factor = np.random.uniform(1 - BRIGHTNESS, 1 + BRIGHTNESS)  # noqa: NPY002
        image = ImageEnhance.Brightness(image).enhance(float(factor))
        pixels = np.array(image, copy=True).reshape(height, width, -1)
        tensor = torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float().div_(255)
        return tensor.sub_(mean).div_(std)

    return vary


_OPERATORS: list[Any] = []  # torchvision's, declared as long as this lives


def by_torchvision(folder: Path, shape: Shape) -> Vary:
    """Torchvision's transforms, from a folder in which it is installed without its operators."""
    if not _OPERATORS:
        _OPERATORS.append(declare_operators())
        sys.path.append(str(folder))
    from torchvision import transforms

    vary: Vary = transforms.Compose(
        [
            transforms.RandomCrop(shape[1:], padding=min(shape[1:]) // 8),
            transforms.RandomHorizontalFlip(),
            transforms.ColorJitter(brightness=BRIGHTNESS),
            transforms.ToTensor(),
            transforms.Normalize((MEAN,) * shape[0], (STD,) * shape[0]),
        ]
    )
    return vary


def pipelines(shape: Shape, torchvision: Path | None) -> dict[str, Vary]:
    """Both forms by name, the first only where torchvision was given."""
    found = {"torchvision": by_torchvision(torchvision, shape)} if torchvision else {}
    return found | {"pil": by_hand(shape)}


def loader(
    images: Tensor, labels: Tensor, batch_size: int, vary: Vary
) -> DataLoader[tuple[Tensor, int]]:
    """Shuffled batches."""
    return DataLoader(Pictures(images, labels, vary), batch_size=batch_size, shuffle=True)
