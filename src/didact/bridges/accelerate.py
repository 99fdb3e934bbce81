"""A frozen teacher beside what accelerate prepares."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from didact._core.optional import require
from didact.nn import Teacher

require("accelerate", extra="accelerate")


class AcceleratedTeacher(Teacher):
    """A teacher on the accelerator's device and in its precision, wrapped for no gradients.

    ``accelerator.prepare`` would make of a teacher a DistributedDataParallel, which wants
    parameters that need a gradient, and ``accelerator.save_state`` would write it; so it is not
    prepared. Call it like the model: under mixed precision it computes as the student does.

    Args:
        accelerator: An ``accelerate.Accelerator``.
        model: The model to learn from; it is copied.

    Example:
        >>> from accelerate import Accelerator
        >>> from torch import nn
        >>> teacher = AcceleratedTeacher(Accelerator(cpu=True), nn.Linear(4, 3))
        >>> list(teacher.parameters())
        []
    """

    def __init__(self, accelerator: Any, model: nn.Module) -> None:
        super().__init__(accelerator.unwrap_model(model))
        self.to(accelerator.device)
        self._accelerator = [accelerator]  # in a list: an accelerator is no part of a model

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The model's output in float32, detached."""
        with self._accelerator[0].autocast():
            output = super().forward(*args, **kwargs)
        return output.float() if isinstance(output, torch.Tensor) else output
