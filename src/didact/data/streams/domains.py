"""The same classes in other clothes: each domain changes the images in its own way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from didact._core.errors import RangeError, UsageError
from didact.data.splits.seeds import generator_for
from didact.data.splits.split import AnySplit, Split

Domains = Literal["permuted", "rotated", "groups"]
DEFAULT_DOMAINS = 5


def domain_splits(
    train: AnySplit, test: AnySplit, domains: Domains, count: int, seed: int
) -> tuple[list[AnySplit], list[AnySplit]]:
    """Training and test data of each domain; the first one is the data as it is.

    ``"permuted"`` moves the pixels, all channels alike, by one drawn permutation for each domain
    (Kirkpatrick et al. 2017); ``"rotated"`` turns domain ``k`` of ``n`` by
    ``k * 180 / n`` degrees (Lopez-Paz and Ranzato 2017).

    Raises:
        RangeError: Fewer than one domain.
        UsageError: Another kind of domain.
    """
    if count < 1:
        raise RangeError(f"there are {count} domains; expected at least 1")
    if domains not in ("permuted", "rotated"):
        raise UsageError(f"domains are {domains!r}; expected 'permuted', 'rotated' or 'groups'")
    trains, tests = [train], [test]
    height, width = train.image_shape[1:]
    for number in range(1, count):
        change: Callable[[Tensor], Tensor]
        if domains == "permuted":
            generator = generator_for(seed, "permuted", number)
            change = partial(_permuted, order=torch.randperm(height * width, generator=generator))
        else:
            change = partial(_rotated, degrees=180.0 * number / count)
        trains.append(_changed(train, change))
        tests.append(_changed(test, change))
    return trains, tests


def _changed(split: AnySplit, change: Callable[[Tensor], Tensor]) -> AnySplit:
    if isinstance(split, Split):
        return Split(change(split.images), split.labels)
    return replace(split, read=partial(_read_changed, read=split.read, change=change))


def _read_changed(
    position: int, *, read: Callable[[int], Tensor], change: Callable[[Tensor], Tensor]
) -> Tensor:
    return change(read(position).unsqueeze(0))[0]


def _permuted(images: Tensor, *, order: Tensor) -> Tensor:
    return images.flatten(2)[:, :, order].reshape(images.shape)


def _rotated(images: Tensor, *, degrees: float) -> Tensor:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    height, width = images.shape[2:]
    turn = torch.tensor([[cosine, sine * height / width, 0.0], [-sine * width / height, cosine, 0]])
    grid = F.affine_grid(turn.unsqueeze(0), [1, 1, height, width], align_corners=False)
    parts = []
    for part in images.tensor_split(max(1, len(images) // 4096)):
        turned = F.grid_sample(
            part.float(), grid.expand(len(part), -1, -1, -1), align_corners=False
        )
        is_bytes = images.dtype == torch.uint8
        parts.append(turned.round().clamp(0, 255).to(torch.uint8) if is_bytes else turned)
    return torch.cat(parts)
