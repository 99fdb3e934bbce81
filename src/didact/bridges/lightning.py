"""Distillation as a LightningModule; the teacher is in no checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact._core.optional import require
from didact.losses import kd
from didact.metrics import accuracy
from didact.nn import Teacher

# A module must be of the package that its Trainer comes from; who has both uses the newer name.
_package = "lightning.pytorch" if find_spec("lightning") else "pytorch_lightning"
LightningModule: Any = require(_package, extra="lightning").LightningModule


class Distillation(LightningModule):  # type: ignore[misc]
    """``(1 - weight) * CE + weight * loss(student, teacher)`` on batches of (inputs, labels).

    The teacher is frozen, follows the student to its device and precision, and is no part of
    ``state_dict()``: checkpoints hold the student, and ``Trainer.fit(..., ckpt_path=...)`` goes on.

    Args:
        student: What is trained; its logits are those of the teacher's classes.
        teacher: The model to learn from.
        loss: Of ``(student_logits, teacher_logits)``, such as ``functools.partial(kd,
            temperature=2)`` or ``dist``.
        weight: Of the loss; the rest is cross-entropy.
        optimizer: From the student's parameters to an optimiser; SGD by default.

    Example:
        >>> from torch import nn
        >>> module = Distillation(nn.Linear(4, 3), nn.Linear(4, 3))
        >>> sorted(module.state_dict())
        ['student.bias', 'student.weight']
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: nn.Module,
        *,
        loss: Callable[[Tensor, Tensor], Tensor] = kd,
        weight: float = 0.9,
        optimizer: Callable[[Any], torch.optim.Optimizer] | None = None,
    ) -> None:
        super().__init__()
        self.student = student
        self._loss, self._weight, self._optimizer = loss, weight, optimizer
        self._teacher = [Teacher(teacher)]  # in a list: no submodule, so in no checkpoint

    def forward(self, inputs: Tensor) -> Tensor:
        """The student's logits."""
        return cast("Tensor", self.student(inputs))

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:  # noqa: ARG002
        """The loss of a batch; its parts are logged."""
        inputs, labels = batch
        teacher = self._teacher[0].to(self.device)
        student_logits, teacher_logits = self(inputs), teacher(inputs)
        hard = F.cross_entropy(student_logits, labels)
        soft = self._loss(student_logits, teacher_logits)
        self.log_dict({"cross_entropy": hard, "distillation": soft})
        return (1 - self._weight) * hard + self._weight * soft

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:  # noqa: ARG002
        """Accuracy, as ``validation_accuracy``."""
        inputs, labels = batch
        self.log("validation_accuracy", accuracy(self(inputs), labels), batch_size=len(labels))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Of the student's parameters alone."""
        if self._optimizer is not None:
            return self._optimizer(self.student.parameters())
        return torch.optim.SGD(self.student.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
