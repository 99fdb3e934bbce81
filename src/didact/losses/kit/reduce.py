"""From one number per sample to the value of the loss."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from didact._core.errors import NonFiniteError, UsageError
from didact.losses.kit.precision import values_can_be_read

Reduction = Literal["mean", "sum", "none"]


def check_reduction(reduction: str) -> None:
    """A reduction is one of three words.

    Raises:
        UsageError: ``reduction`` is another word.
    """
    if reduction not in ("mean", "sum", "none"):
        raise UsageError(
            f"reduction is {reduction!r}; expected 'mean' (over samples), 'sum' or 'none'. "
            "PyTorch's 'batchmean' is called 'mean' here."
        )


def reduce(
    per_sample: Tensor,
    reduction: Reduction,
    mask: Tensor | None = None,
    *,
    teacher: Tensor | None = None,
) -> Tensor:
    """Average, add up or leave alone; ``mean`` divides by the number of unmasked positions.

    Args:
        per_sample: One value for each position, any shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        mask: True where a position counts, same shape as ``per_sample``. Masked positions are
            zero under ``"none"``.
        teacher: The teacher's tensor, to be named should the value not be finite because of it.

    Raises:
        UsageError: ``reduction`` is another word.
        NonFiniteError: The value is not finite because the teacher is not.
    """
    check_reduction(reduction)
    if mask is not None:
        per_sample = per_sample.masked_fill(~mask, 0.0)
    value = per_sample
    if reduction != "none":
        value = per_sample.sum()
    if reduction == "mean":
        value = value / (per_sample.numel() if mask is None else mask.sum().clamp(min=1))
    if teacher is not None:
        raise_if_teacher_not_finite(value, teacher)
    return value


def reduce_classes(
    terms: Tensor, reduction: Reduction, mask: Tensor | None = None, *, factor: float | Tensor = 1.0
) -> Tensor:
    """:func:`reduce` of ``factor`` times the sum over classes of ``(..., classes)``."""
    if mask is None and reduction != "none":  # at once: a shorter graph
        return terms.sum() * (factor / reduction_divisor(terms, reduction))
    return reduce(terms.sum(-1) * factor, reduction, mask)


def reduction_divisor(logits: Tensor, reduction: Reduction) -> int:
    """The number of samples of ``(..., classes)`` for a mean, 1 for a sum."""
    return logits.shape[:-1].numel() if reduction == "mean" else 1


def raise_if_teacher_not_finite(
    value: Tensor, teacher: Tensor, *, name: str = "teacher_logits"
) -> None:
    """Say so when a loss is not finite because the teacher is not.

    The finished value is looked at, not the teacher: that costs no pass over the logits. On a GPU,
    under ``torch.compile`` and under ``torch.func`` nothing is looked at, since reading a value
    would stop the device or break the graph; the loss is then NaN, as it is when the student's
    own logits are NaN.

    Raises:
        NonFiniteError: ``value`` is not finite, and ``teacher`` holds NaN or infinity.
    """
    if values_can_be_read(value) and not is_finite(value):
        raise_if_not_finite(teacher, name=name)


def is_finite(value: Tensor) -> bool:
    """Whether no entry of a finished loss is NaN or infinite."""
    return math.isfinite(value.item() if value.dim() == 0 else value.detach().sum().item())


def raise_if_not_finite(teacher: Tensor, *, name: str = "teacher_logits") -> None:
    """Say where a teacher's logits are not finite, should they be.

    Raises:
        NonFiniteError: ``teacher`` holds NaN or infinity.
    """
    wrong = ~torch.isfinite(teacher)
    count = int(wrong.sum())
    if not count:
        return
    first = tuple(wrong.nonzero()[0].tolist())
    kind = "NaN" if bool(teacher.isnan().any()) else "infinity"
    raise NonFiniteError(
        f"{name} holds {kind}: {count} of {teacher.numel()} values are not finite, the first at "
        f"{first}; expected numbers. Look for an overflow in the teacher (half precision?) or a "
        "damaged checkpoint."
    )
