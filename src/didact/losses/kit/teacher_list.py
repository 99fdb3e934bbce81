"""What the losses with several teachers share: checks of the list and of its weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from didact._core.errors import DtypeError, RangeError, ShapeError, UsageError
from didact.losses.kit.checks import check_mask, check_pair, check_temperature, check_tensor
from didact.losses.kit.precision import values_can_be_read
from didact.losses.kit.reduce import Reduction, check_reduction, is_finite, raise_if_not_finite


def check_teachers(
    student_logits: Tensor,
    teachers_logits: Sequence[Tensor],
    *,
    temperature: float,
    reduction: Reduction,
    mask: Tensor | None,
) -> None:
    """The student's logits, and those of each teacher, which must have the same shape.

    Raises:
        UsageError: No teacher, or an unknown reduction.
        DtypeError: Integer logits or a mask that is not boolean.
        ShapeError: A teacher's shape differs, or there is no sample.
        RangeError: ``temperature`` is not above 0.
    """
    check_tensor(student_logits, name="student_logits")
    given: object = teachers_logits
    if not isinstance(given, list | tuple):
        raise UsageError(
            f"teachers_logits is {type(given).__name__}; expected a list of tensors, one for each "
            "teacher"
        )
    if not len(teachers_logits):
        raise UsageError("teachers_logits is empty; expected the logits of one teacher or more")
    for number, teacher_logits in enumerate(teachers_logits):
        try:
            check_pair(student_logits, teacher_logits)
        except (ShapeError, DtypeError) as error:
            name = f"teachers_logits[{number}]"
            raise type(error)(str(error).replace("teacher_logits", name)) from None
    check_temperature(temperature)
    check_mask(mask, student_logits.shape[:-1])
    check_reduction(reduction)


def check_weights(weights: Sequence[float] | None, *, teachers: int) -> list[float]:
    """One weight for each teacher, not negative, together 1; equal ones if None is given.

    Raises:
        UsageError: Another number of weights than teachers.
        RangeError: A negative weight, or a sum other than 1.
    """
    if weights is None:
        return [1 / teachers] * teachers
    if len(weights) != teachers:
        raise UsageError(f"weights has {len(weights)} numbers; expected {teachers}, one a teacher")
    found = [float(weight) for weight in weights]
    if not all(weight >= 0 for weight in found):
        raise RangeError(f"weights is {found}; expected numbers from 0 up")
    if not math.isclose(sum(found), 1.0, abs_tol=1e-6):
        raise RangeError(
            f"weights is {found}, which sums to {sum(found):.6g}; expected a sum of 1. "
            "Divide each by their sum."
        )
    return found


def raise_if_a_teacher_not_finite(value: Tensor, teachers_logits: Sequence[Tensor]) -> None:
    """Say which teacher it is that makes a loss not finite, if one does.

    Raises:
        NonFiniteError: ``value`` is not finite, and a teacher holds NaN or infinity.
    """
    if not values_can_be_read(value) or is_finite(value):
        return
    for number, teacher_logits in enumerate(teachers_logits):
        raise_if_not_finite(teacher_logits, name=f"teachers_logits[{number}]")
