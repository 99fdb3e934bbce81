"""Wu et al. 2019: Large scale incremental learning (BiC)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from didact.data import AnySplit, Task, generator_for
from didact.methods.kit.balanced import draw_per_class
from didact.methods.kit.bias import fit_bias
from didact.methods.kit.options import above_zero, at_least
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Stage
from didact.methods.kit.shared_kd import SharedDistillation


@dataclass(frozen=True)
class BicOptions:
    """Hyperparameters of BiC.

    Attributes:
        temperature: T of the distillation; 2 in section 6.2.
        held_out: The fraction of each old class's exemplars that fits the bias and is not trained
            on; as many images of each new class, but never more than this fraction of its own. A
            split of 9:1 in section 6.1.
    """

    temperature: float = 2.0
    held_out: float = 0.1

    def __post_init__(self) -> None:
        above_zero("bic.temperature", self.temperature)
        at_least("bic.held_out", self.held_out, 0)
        at_least("1 - bic.held_out", 1 - self.held_out, 0)


@method(
    "bic",
    summary="Distillation, then two numbers correct the logits of new classes.",
    paper="Wu et al. 2019, arXiv:1905.13260",
    group="Exemplars and distillation",
)
class Bic(SharedDistillation):
    """``l KL_T + (1 - l) CE`` with ``l = known / seen``, then a bias layer on held-out images.

    The bias layers of earlier tasks stay on their classes, in the teacher and in the network.
    The fit is done by Newton's method on the held-out logits: the problem is convex in its two
    numbers, so a second training stage would only approach the same answer.

    Paper: Wu et al. 2019, CVPR, arXiv:1905.13260, section 3, eq. 1 and 3 (distillation and its
    share), section 5.2, eq. 4 and 5 (bias layer).

    Compared:
        share of the distillation: ``n / (n + m)`` | the same | the same
        held out: a tenth of the exemplars, as many new images | a share ``nb_val`` | the same, at
            most that share of a class's own
        bias layer: trained after the network, with SGD | two variables, trained in a schedule of
            their own | its minimum by Newton's method, with a ridge of 0.001 around no correction
    """

    Options = BicOptions

    def begin_task(self, task: Task) -> None:
        """New classes begin without a correction."""
        scale = torch.ones(task.seen, device=self.setting.device)
        shift = torch.zeros(task.seen, device=self.setting.device)
        if "scale" in self.kept:
            known = len(self.kept["scale"])
            scale[:known], shift[:known] = self.kept["scale"], self.kept["shift"]
        self.kept["scale"], self.kept["shift"] = scale, shift

    def stages(self, task: Task) -> Sequence[Stage]:
        """Training without what is held out."""
        return [Stage("train", self._divided(task)[0])]

    def after_stage(self, stage: Stage) -> None:  # noqa: ARG002
        """Fit the two numbers of the new classes."""
        held_out = self._divided(self.task)[1]
        known = self.task.known
        if held_out is None or known == self.task.seen:
            return
        logits = self.map_images(held_out, lambda images: self.corrected(self.logits(images)))
        labels = held_out.labels.to(logits.device)
        alpha, beta = fit_bias(logits, labels, old_classes=known)
        scale, shift = self.kept["scale"].clone(), self.kept["shift"].clone()
        scale[known:], shift[known:] = alpha, beta
        self.kept["scale"], self.kept["shift"] = scale, shift

    def predict(self, images: Tensor) -> Tensor:
        """Corrected logits."""
        return self.corrected(self.logits(images))

    def corrected(self, logits: Tensor) -> Tensor:
        """``scale_c * z_c + shift_c`` for the columns there are."""
        columns = logits.shape[-1]
        return logits * self.kept["scale"][:columns] + self.kept["shift"][:columns]

    def _divided(self, task: Task) -> tuple[AnySplit, AnySplit | None]:
        """What is trained on, and what is held out: as many images of each class, if it has them.

        A rare class is trained on before it is held out: with 9 images, and 13 of each other class
        held out, one of its own is.
        """
        everything = self.with_exemplars(task.train)
        old = torch.bincount(self.memory.labels, minlength=1)
        largest = int(old.max()) if len(self.memory) else 0
        count = round(largest * self.options.held_out)
        if not task.known or largest < 2 or not self.options.held_out:
            return everything, None
        generator = generator_for(self.setting.seed, "held out", task.index)
        share = self.options.held_out
        places = draw_per_class(everything.labels, max(count, 1), generator, fraction=share)
        is_new = everything.labels[places] >= task.known
        if not is_new.any() or is_new.all():
            return everything, None  # one side alone says nothing of the bias
        rest = torch.ones(len(everything), dtype=torch.bool)
        rest[places] = False
        return everything.subset(rest.nonzero().flatten()), everything.subset(places)
