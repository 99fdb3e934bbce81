"""Aljundi et al. 2018: Memory aware synapses (MAS)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from didact.data import Task
from didact.methods.kit.anchored import Anchored, parameters_now
from didact.methods.kit.gradients import mean_over_samples, samples_at_once
from didact.methods.kit.importance import add_importances, penalty_weights_of
from didact.methods.kit.options import Classes, at_least, one_of
from didact.methods.kit.registry import method


@dataclass(frozen=True)
class MasOptions:
    """Hyperparameters of MAS.

    Attributes:
        weight: lambda of ``lambda * sum_i omega_i (p_i - p*_i)^2``; 1 in the
            authors' code. ``2 lambda omega_i`` counts 10 at most, since steps on a stiffer penalty
            diverge.
        samples: How many images of a task, at most, the importances are averaged over. The paper
            takes all; each needs a gradient of its own.
        classes: Whether the cross-entropy looks at this task's classes (``"new"``; the paper's
            tasks have outputs of their own) or at all ``"seen"``.
    """

    weight: float = 1.0
    samples: int = 1000
    classes: Classes = "new"

    def __post_init__(self) -> None:
        at_least("mas.weight", self.weight, 0)
        at_least("mas.samples", self.samples, 1)
        one_of("mas.classes", self.classes, ("new", "seen"))


@method(
    "mas",
    summary="Parameters are held where they were, each by how much the output depends on it.",
    paper="Aljundi et al. 2018, arXiv:1711.09601",
    group="Without exemplars",
)
class Mas(Anchored):
    """``CE(z, y) + lambda * sum_i omega_i (p_i - p*_i)^2``, ``omega_i = E |d |z|^2 / d p_i|``.

    Importances add up over tasks; they need images but no labels.

    Paper: Aljundi et al. 2018, arXiv:1711.09601, section 4.1, eq. 2-3.

    Compared:
        importance: of each image ``|d |z|^2 / d p|``, averaged | of the sum over a batch of 200
            images; of each with ``b1`` | of each image
        lambda: 1 for object recognition | 1 | 1
        images: all | all | up to ``samples``
        largest ``2 lambda omega``: no bound | no bound | 10
    """

    Options = MasOptions

    def penalty_weights(self) -> dict[str, Tensor]:
        """``2 lambda omega_i``."""
        return penalty_weights_of(self.kept.under("importances"), 2 * self.options.weight)

    def after_task(self, task: Task) -> None:
        """Add the task's importances and move the anchor."""
        super().after_task(task)
        was_training = self.training
        self.eval()
        split = self.some_images(task, "importances")
        batches = self.iterate(split, samples_at_once(self.network))
        new = mean_over_samples(self.network, batches, squared_length, 1)
        self.train(was_training)
        self.kept.put("importances", add_importances(self.kept.under("importances"), new))
        self.kept.put("anchors", parameters_now(self.network))


def squared_length(logits: Tensor, _: Tensor) -> Tensor:
    """``|z|^2`` of one sample's logits."""
    return torch.sum(logits * logits)
