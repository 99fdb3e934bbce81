"""Douillard et al. 2020: PODNet, pooled outputs distillation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from didact import losses
from didact.data import Batch, Memory, Task, derived_seed
from didact.methods.kit.balanced import class_balanced, train_then_balance
from didact.methods.kit.base import Terms
from didact.methods.kit.cosine import CosineMethod
from didact.methods.kit.options import above_zero, at_least
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Setting, Stage
from didact.methods.kit.stage_maps import MapPlace, read_maps, stage_maps


@dataclass(frozen=True)
class PodnetOptions:
    """Hyperparameters of PODNet.

    Attributes:
        spatial: Base weight of POD-spatial, 3 in the authors' CIFAR-100 settings; multiplied, like
            the next, by ``sqrt(seen / new)`` classes.
        flat: Base weight of POD-flat, 1 there.
        proxies: Vectors of each class, 10 there.
        margin: delta of the NCA loss, 0.6 there.
        balanced_epochs: Epochs of the classifier's fine-tuning on as many images of each class,
            but no more than the training has; 20 beside 160.
        balanced_rate: Its learning rate as a fraction of the run's; 0.05 beside 0.1.
    """

    spatial: float = 3.0
    flat: float = 1.0
    proxies: int = 10
    margin: float = 0.6
    balanced_epochs: int = 20
    balanced_rate: float = 0.5

    def __post_init__(self) -> None:
        at_least("podnet.spatial", self.spatial, 0)
        at_least("podnet.flat", self.flat, 0)
        at_least("podnet.proxies", self.proxies, 1)
        at_least("podnet.margin", self.margin, 0)
        at_least("podnet.balanced_epochs", self.balanced_epochs, 0)
        above_zero("podnet.balanced_rate", self.balanced_rate)


@method(
    "podnet",
    summary="Pooled features of every stage stay as they were; several vectors for each class.",
    paper="Douillard et al. 2020, arXiv:2004.13513",
    group="Exemplars and distillation",
)
class Podnet(CosineMethod):
    """``NCA(cos, y) + w_s * POD-spatial + w_f * POD-flat``, then the classifier alone, balanced.

    The margin is taken off the right class's similarity only; where it is taken off all of them,
    as in code in circulation, it cancels. New vectors begin as the centres of k-means over the
    class's features; the old ones move in the balanced stage alone, as in the
    authors' settings. A network without feature maps, such as a perceptron, has no
    POD-spatial.

    Paper: Douillard et al. 2020, ECCV, arXiv:2004.13513.

    Compared:
        maps of POD-spatial: of every stage | three stages and the last block, before ReLU
            (ResNet-32); four stages (ResNet-18) | the same: every stage but the stem, before
            ReLU; the last block apart where there are fewer than four
        margin: off the right class's similarity | cancels: it is taken off all of them | off the
            right class's
        weights: 3 and 1 on CIFAR-100, 8 and 10 on ImageNet | the same, times ``sqrt(seen / new)``
            | 3 and 1, times ``sqrt(seen / new)``
        balanced fine-tuning: the classifier, 20 epochs | 20 epochs at 0.05, no schedule | 20 at
            most, half of the run's rate, no schedule
        gradients: not mentioned | each clipped to ±5 | the run's ``--clip-norm``
    """

    Options = PodnetOptions

    def __init__(self, options: Any, setting: Setting, memory: Memory) -> None:
        super().__init__(options, setting, memory)
        self.maps: tuple[MapPlace, ...] = ()

    def grow(self, task: Task) -> None:
        """As every cosine method; the first time, find the maps that are compared."""
        super().grow(task)
        if task.index == 0:
            like = next(self.network.parameters())
            self.maps = stage_maps(self.network, like.new_zeros(2, *task.train.image_shape))

    def _proxies(self) -> int:
        proxies: int = self.options.proxies
        return proxies

    @torch.no_grad()
    def begin_task(self, task: Task) -> None:
        """New vectors: the centres of the class's features, as long as old ones on average."""
        if not 0 < task.known < task.seen:
            return
        features = self.map_images(task.train, self.features).cpu()
        weight = self.head.weight
        length = weight[: task.known].norm(dim=-1).mean()
        for column in range(task.known, task.seen):
            seed = derived_seed(self.setting.seed, "proxies", task.index, column)
            centres = centres_of(features[task.train.labels == column], self.head.proxies, seed)
            directions = torch.nn.functional.normalize(centres, dim=-1)
            weight[column] = length * directions.to(weight)

    def stages(self, task: Task) -> Sequence[Stage]:
        """Training on everything, then the classifier on a balanced part of it."""
        options: PodnetOptions = self.options
        balanced = Stage(
            "balanced",
            self.with_exemplars(task.train),
            parameters=lambda: self.head.parameters(),
            epochs=min(options.balanced_epochs, self.setting.epochs),
            rate=options.balanced_rate,
            milestones=(),
            evaluation_mode=True,
        )
        return train_then_balance(self, task, balanced, draw=class_balanced)

    def losses(self, batch: Batch) -> Terms:
        """Classification with a margin, pooled outputs of every stage, the embedding."""
        if self.stage.name == "balanced":
            with torch.no_grad():
                features = self.features(batch.images)
            return {"classification": self._nca(features, batch.labels)}
        if self.teacher is None:
            return {"classification": self._nca(self.features(batch.images), batch.labels)}
        options: PodnetOptions = self.options
        with read_maps(self.network, self.maps) as now:
            features = self.features(batch.images)
            maps = list(now.values())
        with read_maps(self.teacher, self.maps) as before:
            old = self.old_features(batch.images)
            old_maps = list(before.values())
        seen, known = self.task.seen, self.task.known
        factor = math.sqrt(seen / max(seen - known, 1))
        terms = {
            "classification": self._nca(features, batch.labels),
            "flat": factor * options.flat * losses.podnet_flat(features, old),
        }
        spatial = [losses.podnet_spatial(new, was) for new, was in zip(maps, old_maps, strict=True)]
        if spatial:
            terms["spatial"] = factor * options.spatial * torch.stack(spatial).mean()
        return terms

    @torch.no_grad()
    def after_step(self, batch: Batch) -> None:  # noqa: ARG002
        """Put the old classes' vectors back, and keep the scale at 1 or more.

        The margin is multiplied by the scale: with two classes a scale of 0 would bring the loss
        to 0, and one below 0 would turn the answers round.
        """
        if self.stage.name == "train":
            self.put_old_vectors_back()
        self.head.scale.clamp_(min=1.0)

    def _nca(self, features: Tensor, labels: Tensor) -> Tensor:
        head = self.head
        if head.out_features < 2:
            return features.sum() * 0.0  # one class: there is nothing to tell apart
        # As a number, the scale of the margin gets no gradient: lowering it would be the cheapest
        # way to meet any margin, and it would stay at its least value.
        margin = self.options.margin * float(head.scale.detach())
        return losses.podnet_nca(head.scale * head.cosines(features), labels, margin=margin)


def centres_of(features: Tensor, count: int, seed: int) -> Tensor:
    """``count`` centres of k-means, ``(count, width)``; repeated where there are fewer features.

    Args:
        features: ``(samples, width)``, on the CPU.
        count: How many.
        seed: Of k-means.
    """
    from sklearn.cluster import KMeans

    points = features.double().numpy()
    distinct = len(np.unique(points, axis=0))
    clusters = KMeans(min(count, distinct), n_init=1, random_state=seed % 2**32)
    found = torch.from_numpy(clusters.fit(points).cluster_centers_)
    return found.repeat(-(-count // len(found)), 1)[:count]
