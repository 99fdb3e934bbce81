"""timm's LogitDistillationTask: the loss of its forward pass."""

from typing import ClassVar

import torch
from timm.task.distillation import DistillationTeacher, LogitDistillationTask
from torch import nn

from didact.probe import probe, text_of


class Given(nn.Module):
    """A model whose input is its output."""

    pretrained_cfg: ClassVar = {"mean": (0.0,), "std": (1.0,)}
    num_classes, num_features = 5, 5

    def forward(self, logits):
        """The logits."""
        return logits


def task(student, teacher, temperature=4.0):
    held = DistillationTeacher(teacher, 5, 1, teacher.pretrained_cfg)
    return LogitDistillationTask(student, held, temperature=temperature, verbose=False)


def timm_kd(student_logits, teacher_logits, temperature=4.0):
    class Same(Given):
        def forward(self, _):
            return teacher_logits + 0  # a result of its own, as that of a network

    labels = torch.zeros(len(student_logits), dtype=torch.int64)
    return task(Given(), Same(), temperature)(student_logits, labels)["kd_loss"]


print(text_of(probe(timm_kd)))
