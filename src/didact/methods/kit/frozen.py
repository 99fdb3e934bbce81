"""What the methods share that train no backbone: statistics of features decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from didact.data import Batch, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.options import one_of
from didact.methods.kit.setting import Stage
from didact.nn import TUNERS, tune


@dataclass(frozen=True)
class FrozenOptions:
    """Hyperparameters of every method on a frozen backbone.

    Attributes:
        train_first: Train the network on the first task, then freeze it. False for a network that
            was trained on other data beforehand: then nothing is trained at all.
        tune: What is trained of it then (first-session adaptation): ``"all"``, or of a vision
            transformer little beside its own weights, which stay: an ``"adapter"`` in each block
            (AdaptFormer), scales and shifts (``"ssf"``), or prompts for each block (``"vpt"``).
    """

    train_first: bool = True
    tune: str = "all"

    def __post_init__(self) -> None:
        one_of("tune", self.tune, ("all", *TUNERS))


class FrozenBackbone(Method):
    """The network learns at most the first task; later tasks add to statistics of its features.

    The statistics are sums, so a class that comes back adds to its own, and neither the order of
    tasks nor their number changes what is learned from a given backbone.
    """

    Options = FrozenOptions

    def grow(self, task: Task) -> None:
        """The network, once; afterwards it is frozen."""
        if task.index > 0:
            self.network.requires_grad_(False)
            return
        super().grow(task)
        self.before_tuning()
        options: FrozenOptions = self.options
        self.network.requires_grad_(options.train_first and options.tune == "all")
        if options.train_first and options.tune != "all":
            tune(self.network, cast("Any", options.tune))
            self.network.classifier.requires_grad_(True)

    def before_tuning(self) -> None:
        """The network is there, as it was given."""

    def stages(self, task: Task) -> Sequence[Stage]:
        """The first task, unless the network is trained already."""
        return [Stage("train", task.train)] if task.index == 0 and self.options.train_first else []

    def losses(self, batch: Batch) -> Terms:
        """``CE(z, y)`` of the first task."""
        return {"classification": self.cross_entropy(self.logits(batch.images), batch.labels)}

    def after_task(self, task: Task) -> None:
        """Add the task's features to the statistics."""
        super().after_task(task)
        features = self.map_images(task.train, self.features).double()
        labels = task.train.labels.to(features.device)
        self.observe(features, labels, task.seen)

    def observe(self, features: Tensor, labels: Tensor, classes: int) -> None:
        """Add features ``(samples, width)`` in float64, and compute the classifier."""
        raise NotImplementedError


def extended(stored: Tensor | None, like: Tensor) -> Tensor:
    """What was stored, followed by rows of zeros up to the size of ``like``."""
    if stored is None:
        return torch.zeros_like(like)
    missing: Any = [0, 0] * (stored.dim() - 1) + [0, len(like) - len(stored)]
    return F.pad(stored, missing)


def sums_by_class(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The sum of the features of each class, ``(classes, width)``."""
    return features.new_zeros(classes, features.shape[1]).index_add_(0, labels, features)
