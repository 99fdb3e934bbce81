"""What every loss on one teacher's logits begins with."""

from __future__ import annotations

import math

from torch import Tensor

from didact._core.errors import DtypeError, ShapeError
from didact.losses.kit.checks import check_floating, check_mask, check_pair, check_temperature
from didact.losses.kit.precision import savable, target_for
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
    target = target_for(student_logits, teacher_logits)
    if isinstance(temperature, Tensor):  # which gets a gradient through the teacher's logits too
        target = savable(target, target.dtype)
    return (
        soft_log_probs(blank_masked(student_logits, mask), temperature),
        soft_log_probs(target, temperature),
    )


def classes_last(logits: Tensor, class_dim: int, *, name: str) -> Tensor:
    """``(..., classes)``, a view of logits whose classes are another dimension.

    Raises:
        DtypeError: Integer logits, no tensor, or a ``class_dim`` that is no whole number.
        ShapeError: There is no such dimension.
    """
    if class_dim == -1 and isinstance(class_dim, int):
        return logits
    check_floating(logits, name=name)
    if not isinstance(class_dim, int) or isinstance(class_dim, bool):
        raise DtypeError(
            f"class_dim is {class_dim!r}; expected the number of a dimension, such as 1 or -1"
        )
    if not -logits.dim() <= class_dim < logits.dim():
        raise ShapeError(
            f"{name} is {tuple(logits.shape)}; expected a dimension class_dim={class_dim}"
        )
    return logits.movedim(class_dim, -1)


def blank_masked(logits: Tensor, mask: Tensor | None) -> Tensor:
    """Masked positions become zero logits."""
    return logits if mask is None else logits.masked_fill(~mask.unsqueeze(-1), 0.0)
