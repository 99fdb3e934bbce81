"""A loss on logits whose gradient is known in closed form.

A loss hands over one function of both sides' log-probabilities (or scaled logits) that returns the
value of each sample and, when asked, the gradient. A training step on a CPU then takes the one
autograd node. Everything else differentiates the value.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from didact.losses.fast.node import can_serve, with_gradient
from didact.losses.kit.pair import blank_masked, check_inputs
from didact.losses.kit.precision import in_float, target_for
from didact.losses.kit.reduce import (
    Reduction,
    check_reduction,
    raise_if_teacher_not_finite,
    reduce,
    reduction_divisor,
)
from didact.losses.kit.softmax import log_softmax_and_softmax, log_softmax_backward

ValueAndGradient = tuple[Tensor, Callable[[], Tensor]]
"""The value, for each sample or class by class, and how to make the gradient."""
Rows = Callable[[Tensor, Tensor], ValueAndGradient]


def closed_form(
    student_logits: Tensor,
    teacher_logits: Tensor,
    rows: Rows,
    *,
    temperature: float,
    reduction: Reduction,
    mask: Tensor | None,
    power: int = 2,
    weight: float = 1.0,
) -> Tensor:
    """The checks, the loss ``weight * T^power * rows(s / T, t / T)``, and its reduction.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; detached here.
        rows: From scaled logits of both sides to values, ``(...)`` or ``(..., classes)`` to be
            summed over classes, and, by a function, their gradient with respect to the
            student's, ``(..., classes)``.
        temperature: T > 0.
        reduction: As for the loss.
        mask: As for the loss.
        power: Of the temperature in front.
        weight: A number in front.
    """
    check_inputs(student_logits, teacher_logits, temperature=temperature, mask=mask)
    check_reduction(reduction)
    teacher = target_for(student_logits, teacher_logits)
    if temperature != 1:
        teacher = teacher / temperature
    value = of_student(
        student_logits,
        lambda student: rows(student, teacher),
        serves=can_serve(student_logits, teacher),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
        power=power,
        weight=weight,
    )
    raise_if_teacher_not_finite(value, teacher_logits)
    return value


def of_student(
    student_logits: Tensor,
    rows: Callable[[Tensor], ValueAndGradient],
    *,
    serves: bool,
    temperature: float,
    reduction: Reduction,
    mask: Tensor | None,
    power: int = 2,
    weight: float = 1.0,
) -> Tensor:
    """:func:`closed_form` without its checks, of rows that know their target.

    Args:
        student_logits: ``(..., classes)``.
        rows: From the student's scaled logits to values and their gradient.
        serves: Whether the autograd node can serve.
        temperature: T > 0.
        reduction: As for the loss.
        mask: As for the loss.
        power: Of the temperature in front.
        weight: A number in front.
    """

    def plain(student: Tensor) -> Tensor:
        values = rows(in_float(blank_masked(student, mask)) / temperature)[0]
        if values.dim() == student.dim():
            values = values.sum(-1)
        return reduce(values * (weight * temperature**power), reduction, mask)

    def make(student: Tensor, wanted: bool) -> tuple[Tensor, Tensor | None, float]:
        factor = weight * temperature**power / reduction_divisor(student, reduction)
        scaled = in_float(student)
        values, gradient = rows(scaled if temperature == 1 else scaled / temperature)
        slope = gradient().to(student.dtype).contiguous() if wanted else None
        return values.sum().mul_(factor), slope, factor / temperature

    if serves and mask is None and reduction != "none":
        return with_gradient(student_logits, make, plain)
    return plain(student_logits)


Side = tuple[Tensor, Tensor]
"""Log-probabilities and probabilities."""


def softmax_rows(rows: Callable[[Side, Side], ValueAndGradient]) -> Rows:
    """From a function of both sides' probabilities, its slope in their logs, to one of logits."""

    def of_logits(student: Tensor, teacher: Tensor) -> ValueAndGradient:
        own = log_softmax_and_softmax(student)
        values, slope = rows(own, log_softmax_and_softmax(teacher))
        return values, lambda: log_softmax_backward(slope(), own[1])

    return of_logits
