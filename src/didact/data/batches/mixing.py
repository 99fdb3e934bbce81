"""Mixup and CutMix: each image blended with another one, and its label likewise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from didact._core.errors import RangeError, UsageError
from didact.data.splits.seeds import derived_seed, generator_for
from didact.data.splits.targets import is_labelled


@dataclass(frozen=True, slots=True, eq=False)
class MixPlan:
    """With whom each of ``N`` images of an epoch is mixed, and how much of it stays.

    Attributes:
        partner: int64 ``[N]``, the other image's place in the order of the epoch.
        share: ``[N]``, the share that stays.
        box: ``[N, 4]``, top, bottom, left, right of what the other image covers; where top is not
            above bottom, the whole images are blended instead.
    """

    partner: Tensor
    share: Tensor
    box: Tensor

    def images(self, own: Tensor, others: Tensor, start: int, stop: int) -> Tensor:
        """The images at ``start..stop`` of the epoch, mixed."""
        share = self.share[start:stop].to(own.device)
        blended = share.view(-1, *[1] * (own.ndim - 1))
        mixed = own * blended + others * (1 - blended)
        box = self.box[start:stop].to(own.device)
        if own.ndim < 4 or not bool((box[:, 1] > box[:, 0]).any()):
            return mixed
        rows = torch.arange(own.shape[2], device=own.device).view(1, 1, -1, 1)
        columns = torch.arange(own.shape[3], device=own.device).view(1, 1, 1, -1)
        top, bottom, left, right = (side.view(-1, 1, 1, 1) for side in box.unbind(dim=1))
        covered = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
        cut = (box[:, 1] > box[:, 0]).view(-1, 1, 1, 1)
        return torch.where(cut, torch.where(covered, others, own), mixed)


@dataclass(frozen=True, slots=True)
class Mixing:
    """How images are mixed; with both numbers, each image is treated one way or the other.

    Args:
        mixup: ``alpha`` of ``Beta(alpha, alpha)``, from which the share is drawn; 0 for no mixup.
            Zhang et al. 2018, arXiv:1710.09412.
        cutmix: Likewise of CutMix, where a box of the other image covers the first. Yun et al.
            2019, arXiv:1905.04899.

    Raises:
        RangeError: A number is negative.
    """

    mixup: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        if min(self.mixup, self.cutmix) < 0:
            raise RangeError(
                f"mixup is {self.mixup:g} and cutmix {self.cutmix:g}; expected alpha of a Beta "
                "distribution, at least 0 (0.2 and 1 are usual)"
            )

    @property
    def enabled(self) -> bool:
        """Whether there is anything to mix."""
        return max(self.mixup, self.cutmix) > 0

    def draw(self, labels: Tensor, shape: tuple[int, ...], seed: int, epoch: int) -> MixPlan:
        """What happens to each image of an epoch; a function of seed, epoch and place.

        A labelled image is mixed with a labelled one and one without a label with its like, so
        that no label is lost.

        Args:
            labels: In the order of the epoch.
            shape: Of an image.
            seed: Of the run.
            epoch: Its number.

        Raises:
            UsageError: CutMix for the rows of a table.
        """
        if self.cutmix and len(shape) != 3:
            raise UsageError("cutmix covers a box of an image, and this data is a table; --mixup")
        count, known = len(labels), is_labelled(labels).cpu()
        generator = generator_for(seed, "partners", epoch)
        partner = torch.arange(count)
        for group in (known.nonzero().flatten(), (~known).nonzero().flatten()):
            partner[group] = group[torch.randperm(len(group), generator=generator)]
        numbers = np.random.Generator(np.random.PCG64(derived_seed(seed, "mixing", epoch)))
        cut = np.full(count, self.cutmix > 0)
        if self.mixup and self.cutmix:
            cut = numbers.random(count) < 0.5
        alpha = np.where(cut, self.cutmix or 1.0, self.mixup or 1.0)
        share = torch.from_numpy(numbers.beta(alpha, alpha))
        box = torch.zeros(count, 4, dtype=torch.int64)
        if self.cutmix:
            middle = torch.from_numpy(numbers.random((count, 2)))
            box[cut] = _boxes(share, middle, shape)[cut]
            area = (box[:, 1] - box[:, 0]) * (box[:, 3] - box[:, 2])
            share = torch.where(torch.from_numpy(cut), 1 - area / (shape[1] * shape[2]), share)
        return MixPlan(partner.to(labels.device), share.float(), box)


def mixed_labels(labels: Tensor, plan: MixPlan, num_classes: int) -> Tensor:
    """Float32 ``[N, K]``: the labels of both images in the proportion of their shares."""
    if not labels.is_floating_point():
        soft = F.one_hot(labels.clamp(min=0), num_classes).float()
        labels = soft.masked_fill((labels < 0).unsqueeze(1), float("nan"))
    share = plan.share.to(labels.device).unsqueeze(1)
    mixed: Tensor = share * labels + (1 - share) * labels[plan.partner]
    return mixed


def _boxes(share: Tensor, middle: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Boxes of ``1 - share`` of the image around a drawn middle, cut off at the edges."""
    sides = []
    for axis, size in enumerate(shape[1:]):
        half = (size * (1 - share).sqrt() / 2).round()
        centre = (middle[:, axis] * size).floor()
        sides += [(centre - half).clamp(0, size), (centre + half).clamp(0, size)]
    return torch.stack(sides, dim=1).long()
