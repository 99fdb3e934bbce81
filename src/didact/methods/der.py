"""Yan et al. 2021: DER, dynamically expandable representation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from didact.data import Batch, Task, generator_for
from didact.methods.kit.balanced import class_balanced, train_then_balance
from didact.methods.kit.base import Terms
from didact.methods.kit.expanding import Expanding
from didact.methods.kit.options import above_zero, at_least
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Stage
from didact.nn import ExpandableNetwork

CLASSIFIER_MILESTONES = (0.5,)


@dataclass(frozen=True)
class DerOptions:
    """Hyperparameters of DER.

    Attributes:
        auxiliary: lambda_a, weight of the auxiliary loss; 1 in the authors' CIFAR-100 settings.
        temperature: delta of the classifier's own stage; 5 in the authors' settings.
        classifier_epochs: Epochs of that stage, but never more than a task's training has; 30
            beside 170. With 0 there is none, and the classifier of the training serves.
    """

    auxiliary: float = 1.0
    temperature: float = 5.0
    classifier_epochs: int = 30

    def __post_init__(self) -> None:
        at_least("der.auxiliary", self.auxiliary, 0)
        above_zero("der.temperature", self.temperature)
        at_least("der.classifier_epochs", self.classifier_epochs, 0)


@method(
    "der",
    summary="A new backbone for each task beside the frozen old ones, then a balanced classifier.",
    paper="Yan et al. 2021, arXiv:2103.16788",
    group="Networks that expand",
)
class Der(Expanding):
    """Two stages: the new backbone on everything, then a fresh classifier on balanced data.

    The classifier's stage has the authors' schedule: the learning rate falls once, in its middle.
    Without the paper's pruning: this is its "DER without P", and all backbones count as memory.

    Paper: Yan et al. 2021, CVPR, arXiv:2103.16788.

    Compared:
        pruning: channel masks | not published: ``der_womask`` | none: "DER without P"
        classifier's stage: on balanced data, drawn anew | 30 epochs from 0.1, a tenth after 15, T
            = 5 | the same: ``classifier_epochs``, the run's rate, a tenth after half of them
        warm-up: not mentioned | 10 epochs of rising rate, then a new classifier | none
        network: ResNet-18 | ResNet-18 of 64 channels | any, a copy for each task
    """

    Options = DerOptions

    def expandable(self, network: nn.Module) -> ExpandableNetwork:
        """Backbones side by side."""
        return ExpandableNetwork(network)

    def stages(self, task: Task) -> Sequence[Stage]:
        """Training on everything, then the classifier on a balanced part of it."""
        classifier = Stage(
            "classifier",
            self.with_exemplars(task.train),
            parameters=lambda: self.grown.classifier.parameters(),
            epochs=min(self.options.classifier_epochs, self.setting.epochs),
            milestones=CLASSIFIER_MILESTONES,
            evaluation_mode=True,
        )
        return train_then_balance(self, task, classifier, draw=class_balanced)

    def losses(self, batch: Batch) -> Terms:
        """Both classifications, or the classifier's own at a temperature."""
        if self.stage.name != "classifier":
            return super().losses(batch)
        with torch.no_grad():
            features = self.features(batch.images)
        logits = self.grown.classifier(features) / self.options.temperature
        return {"classification": self.cross_entropy(logits, batch.labels)}

    def after_stage(self, stage: Stage) -> None:
        """Before the classifier's own stage, draw it anew."""
        if stage.name == "train" and len(self.stages(self.task)) > 1:
            seed = self.setting.seed
            self.reset_classifier(generator_for(seed, "classifier", self.task.index))
