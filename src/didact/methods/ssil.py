"""Ahn et al. 2021: SS-IL, separated softmax for incremental learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from didact import losses
from didact.data import Batch, Memory, Task
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.options import above_zero
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Setting, Stage


@dataclass(frozen=True)
class SsilOptions:
    """Hyperparameters of SS-IL.

    Attributes:
        temperature: T of the task-wise distillation; 2 in the authors' code.
        replay_share: Exemplars in each step as a fraction of the new images; a batch of 128 has
            32 in the authors' code.
    """

    temperature: float = 2.0
    replay_share: float = 0.25

    def __post_init__(self) -> None:
        above_zero("ssil.temperature", self.temperature)
        above_zero("ssil.replay_share", self.replay_share)


@method(
    "ssil",
    summary="New images compete among new classes, exemplars among old ones; task-wise KD.",
    paper="Ahn et al. 2021, arXiv:2003.13947",
    group="Exemplars replayed",
)
class Ssil(Method):
    """Separated softmax, ratio-preserving batches, task-wise distillation.

    ``CE`` of a new image over the new classes, of an exemplar over the old ones, averaged over
    both together, plus ``sum_f T**2 KL_T`` over the earlier tasks' heads on all of them; the
    factor ``T**2`` is the authors' code's.

    Nothing compares a new class with an old one. With two classes a task the heads' answers are
    therefore of different size, and the method is behind replay (docs/results-learn.md).

    Paper: Ahn et al. 2021, ICCV, arXiv:2003.13947.

    Compared:
        cross-entropy: new among new, exemplars among old, averaged together | the same | the same
        task-wise distillation: without ``T^2`` | with ``T^2``, T = 2 | with ``T^2``, T = 2
        exemplars in a step: a fixed ratio | 32 beside 128 | ``replay_share`` = 0.25
    """

    Options = SsilOptions
    distils = True
    exemplars = "random"
    weighted = frozenset(("classification", "distillation"))

    def __init__(self, options: Any, setting: Setting, memory: Memory) -> None:
        super().__init__(options, setting, memory)
        self.head_sizes: list[int] = []

    def grow(self, task: Task) -> None:
        """As usual; the sizes of the tasks' heads are noted."""
        super().grow(task)
        if task.seen > task.known:
            self.head_sizes.append(task.seen - task.known)

    def stages(self, task: Task) -> Sequence[Stage]:
        """New images alone: the exemplars come with each step, in a fixed ratio."""
        return [Stage("train", task.train)]

    def losses(self, batch: Batch) -> Terms:
        """Separated classification, and distillation head by head."""
        images, labels, known = batch.images, batch.labels, self.task.known
        if self.teacher is None:
            alone = self.logits(images)
            loss = self.mean_with_drawn(
                lambda rows: self.cross_entropy(alone[rows], labels[rows]), batch, drawn=0
            )
            return {"classification": loss}
        drawn = self.replay(self._replayed())
        if drawn is not None:
            images = torch.cat([images, drawn[0].images])
            labels = torch.cat([labels, drawn[0].labels])
        logits = self.logits(images)
        sizes = self.head_sizes[: -1 if self.task.seen > known else None]
        wanted = self.teacher(images)

        def classification(rows: slice) -> Tensor:
            return separated_cross_entropy(logits[rows], labels[rows], known)

        def distillation(rows: slice) -> Tensor:
            return losses.eeil(
                logits[rows],
                wanted[rows],
                head_sizes=sizes,
                temperature=self.options.temperature,
            )

        exemplars = len(labels) - len(batch.labels)
        return {
            "classification": self.mean_with_drawn(classification, batch, exemplars),
            "distillation": self.mean_with_drawn(distillation, batch, exemplars),
        }

    def _replayed(self) -> int:
        """Exemplars of a step, a multiple of the number of processes."""
        setting = self.setting
        wanted: float = self.options.replay_share * setting.batch_size / setting.world_size
        return max(1, round(wanted)) * setting.world_size


def separated_cross_entropy(logits: Tensor, labels: Tensor, old_classes: int) -> Tensor:
    """Cross-entropy of old samples over the old classes and of new ones over the new classes.

    Args:
        logits: ``(samples, classes)``, old classes first.
        labels: ``(samples,)``.
        old_classes: How many are old.

    Returns:
        The mean over all samples.
    """
    is_old = (labels < old_classes).unsqueeze(1)
    old_column = torch.arange(logits.shape[1], device=logits.device) < old_classes
    return F.cross_entropy(logits.masked_fill(is_old != old_column, -torch.inf), labels)
