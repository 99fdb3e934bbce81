"""What the methods share whose network gets a new part with each task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from didact.data import Batch, Memory, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.network import check_network, growing
from didact.methods.kit.setting import Setting, Stage
from didact.nn import ExpandableNetwork, ExpandableStage


class Expanding(Method):
    """``CE`` over all classes, and of the new part alone over new classes and "an old one".

    The auxiliary classifier sees the new part's features and has one output for all old classes
    together, so that the new part learns what the old ones cannot tell apart.
    """

    exemplars = "herding"

    def __init__(self, options: Any, setting: Setting, memory: Memory) -> None:
        super().__init__(options, setting, memory)
        self.auxiliary: nn.Linear | None = None

    def expandable(self, network: nn.Module) -> ExpandableNetwork | ExpandableStage:
        """The growing form of the first network."""
        raise NotImplementedError

    @property
    def grown(self) -> ExpandableNetwork | ExpandableStage:
        """The network."""
        return cast("ExpandableNetwork | ExpandableStage", self.network)

    def grow(self, task: Task) -> None:
        """A new part, a wider classifier, a new auxiliary one."""
        if task.index == 0:
            network = check_network(self.setting.build_network(task.seen))
            self.network = growing(self.expandable(network))
            return
        self.grown.expand(task.seen)
        classes = 1 + task.seen - task.known
        self.auxiliary = nn.Linear(self.grown.width, classes, device=self.setting.device)

    def losses(self, batch: Batch) -> Terms:
        """Classification, and that of the new part."""
        features = self.features(batch.images)
        logits: Tensor = self.grown.classifier(features)
        terms = {"classification": self.cross_entropy(logits, batch.labels)}
        if self.auxiliary is not None:
            new = self.auxiliary(features[:, -self.grown.width :])
            labels = (batch.labels - self.task.known + 1).clamp(min=0)
            terms["auxiliary"] = self.options.auxiliary * self.cross_entropy(new, labels)
        return terms

    def stages(self, task: Task) -> Sequence[Stage]:
        """One, on the task's data with the exemplars."""
        return [Stage("train", self.with_exemplars(task.train))]

    @torch.no_grad()
    def reset_classifier(self, generator: torch.Generator) -> None:
        """Draw the classifier anew, as torch draws a linear layer."""
        classifier = self.grown.classifier
        bound = classifier.in_features**-0.5
        for parameter in classifier.parameters():
            drawn = torch.rand(parameter.shape, generator=generator)
            parameter.copy_((2 * drawn - 1) * bound)
