"""Hou et al. 2019: Learning a unified classifier incrementally via rebalancing (LUCIR)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from didact import losses
from didact.data import Batch, Task
from didact.methods.kit.base import Terms
from didact.methods.kit.cosine import CosineMethod
from didact.methods.kit.nearest_mean import class_means
from didact.methods.kit.options import at_least
from didact.methods.kit.registry import method


@dataclass(frozen=True)
class LucirOptions:
    """Hyperparameters of LUCIR.

    Attributes:
        weight: Base weight of the less-forget term; 5 on CIFAR-100, 10 on ImageNet (section 4.1).
            It is multiplied by ``sqrt(old / new)`` classes, as in the authors' code; eq. 7 prints
            the inverse of that ratio.
        margin: m of the margin ranking; 0.5 in section 4.1.
        negatives: K of the margin ranking; 2 in section 4.1.
        margin_weight: Factor on the margin ranking, which has none in eq. 9.
    """

    weight: float = 5.0
    margin: float = 0.5
    negatives: int = 2
    margin_weight: float = 1.0

    def __post_init__(self) -> None:
        at_least("lucir.weight", self.weight, 0)
        at_least("lucir.margin", self.margin, 0)
        at_least("lucir.negatives", self.negatives, 1)
        at_least("lucir.margin_weight", self.margin_weight, 0)


@method(
    "lucir",
    summary="Cosine classifier, features that keep their direction, margins for exemplars.",
    paper="Hou et al. 2019, CVPR",
    group="Exemplars and distillation",
)
class Lucir(CosineMethod):
    """``CE(scale * cos, y) + weight * sqrt(old/new) * (1 - cos(f, f_old)) + margin ranking``.

    The vectors of old classes do not move: "we propose to fix the old class embeddings" (section
    3.3). Those of new ones begin as their mean features (imprinted), as in the authors' recipe,
    which the paper does not mention. Its fine-tuning on a balanced set, optional in section 3.5, is
    left out.

    Paper: Hou et al. 2019, CVPR, sections 3.2 to 3.5, eq. 4 and 6-9.

    Compared:
        less-forget weight: ``5 sqrt(new / old)`` as printed (eq. 7) | ``5 sqrt(old / new)`` | ``5
            sqrt(old / new)``
        new vectors: not mentioned | mean features, as long as the old ones on average | the same
        old vectors: fixed | fixed (learning rate 0) | fixed
        balanced fine-tuning: optional | ImageNet alone | none
        class means of ``nme``: of exemplars | of exemplars and their mirror images | mirrored
            where training images are
    """

    Options = LucirOptions

    @torch.no_grad()
    def begin_task(self, task: Task) -> None:
        """New vectors: the class's mean direction, as long as old vectors are on average."""
        if not 0 < task.known < task.seen:
            return
        features = self.map_images(task.train, self.features)
        means = class_means(features, task.train.labels.to(features.device), task.seen)
        weight = self.head.weight
        length = weight[: task.known].norm(dim=-1).mean()
        weight[task.known :, 0] = length * F.normalize(means[task.known :], dim=-1)

    def losses(self, batch: Batch) -> Terms:
        """Classification, less-forget, margin ranking."""
        options: LucirOptions = self.options
        features = self.features(batch.images)
        cosines = self.head.cosines(features)
        terms = {"classification": self.cross_entropy(self.head.scale * cosines, batch.labels)}
        known, seen = self.task.known, self.task.seen
        if self.teacher is None:
            return terms
        weight = options.weight * math.sqrt(known / max(seen - known, 1))
        old = self.old_features(batch.images)
        terms["less_forget"] = weight * losses.lucir_less_forget(features, old)
        if known < seen:
            terms["margin"] = options.margin_weight * self._margin(cosines, batch)
        return terms

    def _margin(self, cosines: Tensor, batch: Batch) -> Tensor:
        """The mean over the samples of old classes, on all processes together."""
        options: LucirOptions = self.options
        known, setting = self.task.known, self.setting
        total = losses.lucir_margin(
            cosines,
            batch.labels,
            old_classes=known,
            margin=options.margin,
            negatives=options.negatives,
            reduction="sum",
        )
        count = int((setting.gather(batch.labels) < known).sum())
        share = batch.weight * max(count, 1) / setting.world_size
        return total / share if share else total * 0.0

    def after_step(self, batch: Batch) -> None:  # noqa: ARG002
        """Put the old classes' vectors back."""
        self.put_old_vectors_back()
