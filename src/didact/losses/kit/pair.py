"""What every loss on one teacher's logits begins with."""

from __future__ import annotations

import math

from torch import Tensor

from didact.losses.kit.checks import check_mask, check_pair, check_temperature
from didact.losses.kit.softmax import soft_log_probs


def check_inputs(
    student_logits: Tensor,
    teacher_logits: Tensor,
    *,
    temperature: float | Tensor = 1.0,
    mask: Tensor | None = None,
) -> None:
    """Both sides fit together, the temperature is above 0, and the mask is one of positions.

    Raises:
        DtypeError: Integer logits, or a mask that is not boolean.
        ShapeError: Different shapes, or no sample.
        RangeError: ``temperature`` is not above 0.
    """
    check_pair(student_logits, teacher_logits)
    if not (isinstance(temperature, float) and 0 < temperature < math.inf):
        check_temperature(temperature)
    if mask is not None:
        check_mask(mask, student_logits.shape[:-1])


def log_probs(
    student_logits: Tensor,
    teacher_logits: Tensor,
    *,
    temperature: float | Tensor = 1.0,
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """``log softmax(z / T)`` of each side, the teacher detached.

    The student's masked positions are replaced by uniform ones, so that NaN there, on either
    side, reaches no gradient.
    """
    return (
        soft_log_probs(blank_masked(student_logits, mask), temperature),
        soft_log_probs(teacher_logits.detach(), temperature),
    )


def blank_masked(logits: Tensor, mask: Tensor | None) -> Tensor:
    """Masked positions become zero logits."""
    return logits if mask is None else logits.masked_fill(~mask.unsqueeze(-1), 0.0)
