"""Distillation of a language model as a LightningModule; the teacher is in no checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from didact.bridges.lightning import LightningModule
from didact.lm import Objective, TeacherCache


class TextDistillation(LightningModule):  # type: ignore[misc]
    """A step of :class:`didact.lm.Objective` on batches as it takes them.

    The gradients of a step are divided by the tokens that count in all its micro-batches and on all
    devices: ``Trainer(accumulate_grad_batches=4)`` makes the update of a batch four times as large,
    whatever the lengths.

    Args:
        student: What is trained.
        teacher: A model, or a :class:`didact.lm.TeacherCache` of one.
        optimizer: From the student's parameters to an optimiser; AdamW by default.
        objective: All other arguments of the objective.

    Example:
        >>> from didact.nn import Gpt
        >>> student, teacher = (Gpt(32, 1, classes=300, window=8) for _ in range(2))
        >>> module = TextDistillation(student, teacher, kd_weight=0.5)
        >>> any("teacher" in name for name in module.state_dict())
        False
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: nn.Module | TeacherCache,
        *,
        optimizer: Callable[[Any], torch.optim.Optimizer] = torch.optim.AdamW,
        **objective: Any,
    ) -> None:
        super().__init__()
        self.student, self._optimizer = student, optimizer
        self.objective = Objective(teacher, **objective)  # no submodule
        self._items: list[Tensor] = []

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:  # noqa: ARG002
        """The sum over tokens: what Lightning divides it by is taken back here."""
        if isinstance(self.objective.teacher, nn.Module):
            self.objective.teacher.to(self.device)
        count = self.objective.count(batch)
        found = self.objective(self.student, batch, items=1)
        self._items.append(count)
        self.log_dict(found.parts, batch_size=max(1, int(count)))
        loss: Tensor = found.loss * self.trainer.accumulate_grad_batches
        return loss

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """A mean over all tokens of the step, before anything is clipped."""
        items = self.all_gather(torch.stack(self._items).sum()).sum().clamp_min(1)
        self._items.clear()
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:  # of which several devices have made a mean
                    parameter.grad.mul_(self.trainer.world_size / items)

    def validation_step(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """The loss, as ``validation_loss``."""
        found, count = self.objective(self.student, batch), int(self.objective.count(batch))
        self.log("validation_loss", found.loss, batch_size=max(1, count))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Of the student's parameters alone."""
        return self._optimizer(self.student.parameters())
