"""Li et al. 2023: Curriculum temperature for knowledge distillation (CTKD)."""

from __future__ import annotations

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from didact._core.errors import RangeError
from didact.losses.kit.checks import check_weight
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss
from didact.losses.logits.kd import kd


@final
@register_loss(
    family="logits",
    purpose="gap",
    kind="divergence",
    formula="T^2 * KL(softmax(t/T) || softmax(s/T)), T = lowest + span * sigmoid(parameter), "
    "learnt against the student",
    paper="Li et al. 2023 (CTKD), AAAI, arXiv:2211.16231, eq. 3, 8 and 11",
)
class CurriculumKD(nn.Module):
    """Hinton's loss at a temperature that learns to make the task harder, little by little.

    The temperature ascends the loss that the student descends: its gradient is reversed and
    weighted with lambda, which follows half a cosine from 0 to 1 while ``progress`` goes from 0
    to 1. Give :attr:`parameter` to the optimiser (``module.parameters()``); it is all that trains.

    Args:
        lowest: The lowest temperature, above 0.
        span: The highest temperature is ``lowest + span``.

    Raises:
        RangeError: ``lowest`` or ``span`` is not above 0, or ``progress`` outside [0, 1].
        ShapeError: The shapes of the logits differ, or there is no sample.
        DtypeError: Integer logits.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Li, Li, Yang, Zhao, Song, Luo, Li, Yang 2023, Curriculum temperature for knowledge
    distillation, AAAI, arXiv:2211.16231: the opposed goals (eq. 3), the reversed step (eq. 8), the
    cosine of lambda (eq. 11), with the global temperature.

    Example:
        >>> import torch
        >>> from didact.losses import CurriculumKD
        >>> loss = CurriculumKD()
        >>> round(loss.temperature.item(), 2)
        15.62
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]])
        >>> loss(logits, logits, progress=0.5).item()
        0.0
    """

    def __init__(self, *, lowest: float = 1.0, span: float = 20.0) -> None:
        super().__init__()
        for name, value in (("lowest", lowest), ("span", span)):
            if not value > 0:
                raise RangeError(f"{name} is {value}; expected a number above 0")
        self.lowest, self.span = lowest, span
        self.parameter = nn.Parameter(torch.ones(()))

    @property
    def temperature(self) -> Tensor:
        """The temperature now, ``lowest + span * sigmoid(parameter)``."""
        return self.lowest + self.span * torch.sigmoid(self.parameter)

    def forward(
        self,
        student_logits: Float[Tensor, "*batch classes"],
        teacher_logits: Float[Tensor, "*batch classes"],
        *,
        progress: float = 1.0,
        reduction: Reduction = "mean",
    ) -> Float[Tensor, ...]:
        """The loss; ``progress`` is the part of the curriculum that is behind, from 0 to 1."""
        check_weight(progress, name="progress")
        reversal = (1 - math.cos(math.pi * progress)) / 2
        # Its value is the temperature; its slope is -reversal times the temperature's.
        forwards = self.temperature
        temperature = torch.lerp(forwards, forwards.detach(), 1 + reversal)
        return kd(student_logits, teacher_logits, temperature=temperature, reduction=reduction)
