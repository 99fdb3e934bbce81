"""Castro et al. 2018: End-to-end incremental learning (EEIL)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from didact import losses
from didact.data import Batch, Memory, Task
from didact.methods.kit.balanced import class_representatives, train_then_balance
from didact.methods.kit.base import Method, Terms
from didact.methods.kit.network import growing
from didact.methods.kit.options import above_zero, at_least
from didact.methods.kit.registry import method
from didact.methods.kit.setting import Setting, Stage
from didact.nn import Teacher

BALANCED_MILESTONES = (1 / 3, 2 / 3)


@dataclass(frozen=True)
class EeilOptions:
    """Hyperparameters of EEIL.

    Attributes:
        temperature: T of the distillation; "we set T to 2 for all our experiments"
            (section 3.2).
        balanced_epochs: Epochs of the fine-tuning on as many images of each class, "an additional
            30 epochs for balanced fine-tuning" (section 5), but no more than the training has.
        balanced_rate: Its learning rate as a fraction of the run's, which is 0.1 there: "the
            starting rate is 0.01" (section 5), a tenth of it after each third, as there.
    """

    temperature: float = 2.0
    balanced_epochs: int = 30
    balanced_rate: float = 0.1

    def __post_init__(self) -> None:
        above_zero("eeil.temperature", self.temperature)
        at_least("eeil.balanced_epochs", self.balanced_epochs, 0)
        above_zero("eeil.balanced_rate", self.balanced_rate)


@method(
    "eeil",
    summary="Distillation task by task, then fine-tuning on as many images of each class.",
    paper="Castro et al. 2018, arXiv:1807.09536",
    group="Exemplars and distillation",
)
class Eeil(Method):
    """``CE(z, y) + sum_f KL_T`` over the earlier tasks' heads, then balanced fine-tuning.

    The balanced set has as many images of each class, "keeping only the most representative
    samples" by herding. On it the network as it was after the training is the teacher of the new
    classes, beside the old model for the old ones. The noise that the paper adds to the gradients
    (section 5) is left out.

    Paper: Castro et al. 2018, ECCV, arXiv:1807.09536, section 3.2, eq. 1-3; balanced fine-tuning:
    section 4.

    Compared:
        distillation: T = 2, a term for each earlier head | the same | the same
        balanced fine-tuning: 30 epochs from 0.01, a tenth of it every 10 | 10 at each of 0.01,
            0.001, 0.0001 | 30 at most, from 0.1 of the run's rate, a tenth of it after each third
        noise on gradients: ``N(0, eta / (1 + t)^gamma)`` | ``0.3 / (1 + epoch)^0.55`` | none
    """

    Options = EeilOptions
    distils = True
    exemplars = "herding"

    def __init__(self, options: Any, setting: Setting, memory: Memory) -> None:
        super().__init__(options, setting, memory)
        self.head_sizes: list[int] = []
        self.trained_network: Teacher | None = None

    def grow(self, task: Task) -> None:
        """As usual, with a second teacher: the network as it is when the fine-tuning begins."""
        super().grow(task)
        if task.seen > task.known:
            self.head_sizes.append(task.seen - task.known)
        if task.index > 0:
            self.trained_network = Teacher(self.network)

    def stages(self, task: Task) -> Sequence[Stage]:
        """Training on everything, fine-tuning on a balanced part of it."""
        options: EeilOptions = self.options
        balanced = Stage(
            "balanced",
            self.with_exemplars(task.train),
            epochs=min(options.balanced_epochs, self.setting.epochs),
            rate=options.balanced_rate,
            milestones=BALANCED_MILESTONES,
        )
        return train_then_balance(self, task, balanced)

    def begin_stage(self, stage: Stage) -> Stage:
        """The images of the balanced set are those that the trained network finds typical."""
        if stage.name != "balanced":
            return stage
        features = self.map_images(stage.split, self.trained_features).cpu()
        return replace(stage, split=class_representatives(stage.split, features))

    def trained_features(self, images: Tensor) -> Tensor:
        """Penultimate features of the network as it was after the training."""
        assert self.trained_network is not None
        return growing(self.trained_network.model).features(images)

    def losses(self, batch: Batch) -> Terms:
        """Classification over all classes, distillation head by head."""
        logits = self.logits(batch.images)
        terms = {"classification": self.cross_entropy(logits, batch.labels)}
        if self.teacher is None:
            return terms
        old_logits, sizes = self.teacher_logits(batch), self.head_sizes
        if self.stage.name == "balanced" and self.trained_network is not None:
            new_logits = self.trained_network(batch.images)[:, self.task.known :]
            old_logits = torch.cat([old_logits, new_logits], dim=1)
        elif self.task.seen > self.task.known:
            sizes = sizes[:-1]
        temperature = self.options.temperature
        distance = losses.eeil(logits, old_logits, head_sizes=sizes, temperature=temperature)
        terms["distillation"] = distance / temperature**2
        return terms

    def after_stage(self, stage: Stage) -> None:
        """Remember the trained network for the fine-tuning."""
        if stage.name == "train" and self.trained_network is not None:
            self.trained_network.model.load_state_dict(self.network.state_dict())
