"""Wang et al. 2022: FOSTER, feature boosting and compression."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.data import Batch, Memory, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.network import growing
from didact.methods.kit.options import above_zero, at_least
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Setting, Stage
from didact.methods.kit.softened import softened_kl
from didact.nn import widened

AUTHORS_LARGEST_CLASS = 500


@dataclass(frozen=True)
class FosterOptions:
    """Hyperparameters of FOSTER.

    Attributes:
        temperature: T of both distillations; 2 in the authors' settings.
        boosting_beta: beta of the effective number of samples, by which logits are divided while
            boosting; 0 switches it off. The authors' CIFAR-100 settings go from 0.94 to 0.98, those
            for ImageNet-100 have 0.97. Numbers of samples count relative to the largest class,
            which has 500 on CIFAR-100: with 6,000 images of a class and 1,000 exemplars of
            another, 0.97 would balance nothing.
        compression_beta: The same for the weights of the compression; 0.97.
        compression_epochs: Epochs of the compression as a fraction of the run's; 130 beside 170.
    """

    temperature: float = 2.0
    boosting_beta: float = 0.97
    compression_beta: float = 0.97
    compression_epochs: float = 130 / 170

    def __post_init__(self) -> None:
        above_zero("foster.temperature", self.temperature)
        above_zero("foster.compression_epochs", self.compression_epochs)
        for name in ("boosting_beta", "compression_beta"):
            at_least(f"foster.{name}", getattr(self, name), 0)
            above_zero(f"1 - foster.{name}", 1 - getattr(self, name))


@method(
    "foster",
    summary="A new backbone corrects the frozen old one, then both are distilled into one.",
    paper="Wang et al. 2022, arXiv:2204.04662",
    group="Networks that expand",
)
class Foster(Method):
    """Two stages: boosting with a second backbone, compression into a single one.

    Boosting: ``CE(z / w, y) + CE(z_new, y) + KL_T(old || z[old])`` with ``z`` from both backbones
    and ``w`` the class weights of the effective number of samples. Compression: ``KL_T`` to the
    boosted network with its probabilities weighted by class and renormalised.

    Paper: Wang et al. 2022, ECCV, arXiv:2204.04662.

    Compared:
        beta of the boosting's class weights: tuned | 0.98 to 0.94, a value for each task | 0.97
            for all, ``boosting_beta``
        counts in the class weights: of the training data | the same: 500 of a new class of
            CIFAR-100 | relative to a largest class of 500
        balanced distillation: probabilities times class weights, renormalised | the same | the
            same
        first task: not mentioned | 200 epochs | the run's, or ``--first-epochs``
        augmentation: AutoAugment | AutoAugment | the run's
    """

    Options = FosterOptions
    distils = True
    exemplars = "herding"

    def __init__(self, options: Any, setting: Setting, memory: Memory) -> None:
        super().__init__(options, setting, memory)
        self.booster: nn.Module | None = None
        self.boosted_classifier: nn.Linear | None = None

    def grow(self, task: Task) -> None:
        """The teacher is the old backbone; a booster and a classifier for both are added."""
        old = copy.deepcopy(self.network) if task.index > 0 else None
        super().grow(task)
        if old is None:
            return
        classifier: Any = old.classifier
        self.boosted_classifier = widened(classifier, task.seen, inputs=2 * classifier.in_features)
        old.classifier = nn.Linear(
            classifier.in_features, task.seen, device=classifier.weight.device
        )
        self.booster = old

    def stages(self, task: Task) -> Sequence[Stage]:
        """Boosting, then compression; plain training in the first task."""
        everything = self.with_exemplars(task.train)
        if task.index == 0:
            return [Stage("train", everything)]
        epochs = max(1, round(self.setting.epochs * self.options.compression_epochs))
        return [
            Stage("boosting", everything, parameters=self._boosting_parameters),
            Stage(
                "compression",
                everything,
                parameters=lambda: self.network.parameters(),
                epochs=epochs,
            ),
        ]

    def _boosting_parameters(self) -> list[nn.Parameter]:
        booster, classifier = self._boosters()
        return [*booster.parameters(), *classifier.parameters()]

    def _boosters(self) -> tuple[Any, nn.Linear]:
        if self.booster is None or self.boosted_classifier is None:
            raise ModelError("there is no booster in the first task")
        return self.booster, self.boosted_classifier

    def losses(self, batch: Batch) -> Terms:
        """The terms of the stage."""
        if self.stage.name == "boosting":
            return self._boosting(batch)
        logits = self.logits(batch.images)
        if self.stage.name == "train":
            return {"classification": self.cross_entropy(logits, batch.labels)}
        self._boosters()[0].eval()
        with torch.no_grad():
            boosted = self._boosted(batch.images)[0]
        weights = self._weights(self.options.compression_beta)
        temperature = self.options.temperature
        return {"distillation": balanced_kl(logits, boosted, weights, temperature)}

    def _boosting(self, batch: Batch) -> Terms:
        logits, features = self._boosted(batch.images)
        new_logits = self._boosters()[0].classifier(features)
        weights = self._weights(self.options.boosting_beta)
        old = self.teacher_logits(batch)
        return {
            "classification": self.cross_entropy(logits / weights, batch.labels),
            "boosting": self.cross_entropy(new_logits, batch.labels),
            "distillation": softened_kl(logits, old, self.options.temperature),
        }

    def _boosted(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of both backbones together, and the features of the booster."""
        booster, classifier = self._boosters()
        if self.teacher is None:
            raise ModelError("there is no teacher in the first task")
        with torch.no_grad():
            old = growing(self.teacher.model).features(images)
        new: Tensor = booster.features(images)
        logits: Tensor = classifier(torch.cat([old, new], dim=1))
        return logits, new

    def _weights(self, beta: float) -> Tensor:
        counts = torch.bincount(self.stage.split.labels, minlength=self.task.seen)
        relative = counts * (AUTHORS_LARGEST_CLASS / counts.max())
        return effective_weights(relative, beta).to(self.setting.device)


def effective_weights(counts: Tensor, beta: float) -> Tensor:
    """``(1 - beta) / (1 - beta^n_c)`` for each class, scaled to mean 1; float32.

    Args:
        counts: ``(classes,)``, how many samples each class has. A class without any gets the
            weight of a class with one.
        beta: From 0 (all weights are 1) to less than 1.

    Paper: Cui et al. 2019, CVPR, arXiv:1901.05555.
    """
    effective = 1 - beta ** counts.clamp(min=1).double()
    weights = (1 - beta) / effective
    return (weights / weights.mean()).float()


def balanced_kl(
    logits: Tensor, teacher_logits: Tensor, weights: Tensor, temperature: float
) -> Tensor:
    """KL to the teacher's softened probabilities times ``weights``, renormalised; a mean.

    Args:
        logits: ``(samples, classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        weights: ``(classes,)``, above 0.
        temperature: T > 0.

    Paper: Wang et al. 2022, ECCV, arXiv:2204.04662 (balanced distillation).
    """
    target = (teacher_logits.detach() / temperature + weights.log()).log_softmax(-1)
    found = F.log_softmax(logits / temperature, dim=-1)
    return F.kl_div(found, target, log_target=True, reduction="batchmean")
