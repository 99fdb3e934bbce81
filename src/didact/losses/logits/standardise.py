"""Sun et al. 2024: Logit standardization in knowledge distillation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from didact._core.errors import NonFiniteError
from didact.losses.kit.checks import check_tensor
from didact.losses.kit.pair import blank_masked, check_inputs
from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import (
    Reduction,
    check_reduction,
    raise_if_not_finite,
    raise_if_teacher_not_finite,
)
from didact.losses.kit.registry import register_loss
from didact.losses.logits.kd import kd_unchecked


def standardise_logits(logits: Float[Tensor, "*batch classes"]) -> Float[Tensor, "*batch classes"]:
    """Logits of mean 0 and standard deviation 1 over the classes of each sample.

    Put around both sides of any loss, it asks the student for the teacher's ranking and
    proportions, and leaves it free to choose the size of its own logits.

    Args:
        logits: ``(..., classes)``. A sample whose logits are all equal becomes zeros,
            and gets no gradient.

    Returns:
        The same shape, in float32 or float64. The gradient goes through mean and deviation.

    Raises:
        ShapeError: Fewer than two dimensions, or no sample.
        DtypeError: Integer logits.

    Paper: Sun, Ren, Li, Wang, Cao 2024, CVPR, arXiv:2403.01427, section 4.3, algorithms 1 and 2.

    Example:
        >>> import torch
        >>> from didact.losses import standardise_logits
        >>> standardise_logits(torch.tensor([[1.0, 3.0]])).tolist()
        [[-1.0, 1.0]]
    """
    check_tensor(logits, name="logits")
    logits = in_float(logits)
    mean = logits.mean(-1, keepdim=True)
    centred = logits - mean
    variance = centred.square().mean(-1, keepdim=True)
    # What is left of equal logits is the rounding of their mean, which has no direction.
    flat = variance <= (4 * torch.finfo(logits.dtype).eps * mean).square()
    return centred * variance.masked_fill(flat, 1.0).rsqrt().masked_fill(flat, 0.0)


def standardised(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Any loss on logits, between standardised logits: ``standardised(dkd)(s, t, labels)``.

    Args:
        loss: A function whose first two arguments are the student's and the teacher's logits.

    Returns:
        A function with the same arguments.

    Example:
        >>> import torch
        >>> from didact.losses import reverse_kl, standardised
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]])
        >>> standardised(reverse_kl)(2 * logits, logits).item()
        0.0
    """

    def between_standardised(
        student_logits: Tensor, teacher_logits: Tensor, *rest: Any, **options: Any
    ) -> Tensor:
        check_inputs(student_logits, teacher_logits)
        student, teacher = (
            standardise_logits(student_logits),
            standardise_logits(teacher_logits.detach()),
        )
        try:
            return loss(student, teacher, *rest, **options)
        except NonFiniteError:
            raise_if_not_finite(teacher_logits)  # infinity, which became NaN
            raise

    return between_standardised


@register_loss(
    family="logits",
    purpose="gap",
    kind="divergence",
    formula="T^2 * KL(softmax(z(t)/T) || softmax(z(s)/T)), z(x) = (x - mean x) / std x",
    paper="Sun et al. 2024, CVPR, arXiv:2403.01427, section 4.3",
)
def standardised_kd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    *,
    temperature: float = 2.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Hinton's loss between standardised logits: :func:`kd` of :func:`standardise_logits`.

    The deviation is that of the paper, with ``1/C`` for C classes. The released code takes the
    sample's, with ``1/(C-1)``: its value at T is ``(C-1)/C`` times this one at
    ``T * sqrt(C/(C-1))``, which differs where the classes are few.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape; no gradient goes to it.
        temperature: The base temperature, 2 in table 4; the authors' settings weight the loss
            with 9.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits or a mask that is not boolean.
        RangeError: ``temperature`` is not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Sun, Ren, Li, Wang, Cao 2024, CVPR, arXiv:2403.01427, section 4.3, algorithms 1 and 2.

    Example:
        >>> import torch
        >>> from didact.losses import standardised_kd
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]])
        >>> abs(standardised_kd(10 * logits, logits).item()) < 1e-6  # their size does not matter
        True
    """
    check_inputs(student_logits, teacher_logits, temperature=temperature, mask=mask)
    check_reduction(reduction)
    teacher = standardise_logits(teacher_logits.detach())

    student = standardise_logits(blank_masked(student_logits, mask))
    value = kd_unchecked(student, teacher, temperature, reduction, mask)
    raise_if_teacher_not_finite(value, teacher_logits)
    return value
