"""Zhao et al. 2022: Decoupled knowledge distillation."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from didact._core.errors import ShapeError
from didact.losses.fast.closed_form import ValueAndGradient, closed_form
from didact.losses.kit.checks import both, check_labels, check_positive
from didact.losses.kit.pair import check_inputs
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss


@register_loss(
    family="logits",
    purpose="gap",
    kind="divergence",
    formula="T^2 * (alpha * KL(target or not) + beta * KL(among the other classes))",
    paper="Zhao et al. 2022 (DKD), CVPR, arXiv:2203.08679",
)
def dkd(
    student_logits: Float[Tensor, "*batch classes"],
    teacher_logits: Float[Tensor, "*batch classes"],
    labels: Int64[Tensor, "*batch"] | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 8.0,
    temperature: float = 4.0,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Decoupled distillation: how sure of the target, and how the other classes compare.

    ``T^2 * (alpha * TCKD + beta * NCKD)``. Hinton's loss is ``TCKD + (1 - p_target) * NCKD``; the
    weight beta frees the second part from the teacher's confidence. All is computed in log space
    and over the classes that exist, so that extreme logits and two classes (where NCKD is 0) are
    as good as any.

    Args:
        student_logits: ``(..., classes)``, two classes or more.
        teacher_logits: Same shape; no gradient goes to it.
        labels: The target classes, ``(...)``. None takes the teacher's own first choice: the
            label-free form.
        alpha: Weight of the target part, 1 in the paper.
        beta: Weight of the other part, 8 for ResNet in the paper.
        temperature: T > 0.
        ignore_index: The label of a sample that has none; without a target there is nothing to
            decouple, and it does not count, as if masked.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, there is no sample, or one class only.
        DtypeError: Integer logits, labels that are not int64, or a mask that is not boolean.
        RangeError: A label outside the classes, a negative weight, ``temperature`` not above 0.
        NonFiniteError: The teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Zhao, Cui, Song, Qiu, Liang 2022, Decoupled knowledge distillation, CVPR,
    arXiv:2203.08679.

    Example:
        >>> import torch
        >>> from didact.losses import dkd
        >>> student, teacher = torch.zeros(1, 3), torch.tensor([[3.0, 1.0, 0.0]])
        >>> round(dkd(student, teacher, torch.tensor([0])).item(), 4)
        1.7356
    """
    check_positive(alpha, name="alpha")
    check_positive(beta, name="beta")
    check_inputs(student_logits, teacher_logits, mask=mask)
    classes = student_logits.shape[-1]
    if classes < 2:
        raise ShapeError("student_logits has one class; expected two or more, a target and others")
    if labels is None:
        labels = teacher_logits.detach().argmax(-1)
    else:
        complete = check_labels(
            labels, student_logits.shape[:-1], classes=classes, ignore_index=ignore_index
        )
        if not complete:
            known = labels != ignore_index
            mask = both(mask, known)
            labels = labels.where(known, 0)
    return closed_form(
        student_logits,
        teacher_logits,
        partial(_decoupled, labels.unsqueeze(-1), alpha, beta),
        temperature=temperature,
        reduction=reduction,
        mask=mask,
    )


def _decoupled(
    labels: Tensor, alpha: float, beta: float, student: Tensor, teacher: Tensor
) -> ValueAndGradient:
    target = torch.zeros_like(student, dtype=torch.bool).scatter(-1, labels, True)
    student_binary, student_others = _decouple(student, target, labels)
    teacher_binary, teacher_others = _decouple(teacher, target, labels)
    target_part = _kl(teacher_binary, student_binary)
    other_part = _kl(teacher_others, student_others)

    def gradient() -> Tensor:
        surplus = (student_binary.exp() - teacher_binary.exp())[..., :1] * alpha
        found = student_others.exp().mul_(beta - surplus)
        found.sub_(teacher_others.exp(), alpha=beta)
        return found.scatter_(-1, labels, surplus)

    return alpha * target_part + beta * other_part, gradient


def _decouple(logits: Tensor, target: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of (target, not target), and of the other classes among themselves.

    The target's entry of the second is 0 on both sides, which adds nothing to their divergence.
    """
    others = logits.masked_fill(target, -torch.inf)
    total_others = others.logsumexp(-1, keepdim=True)
    binary = torch.log_softmax(torch.cat((logits.gather(-1, labels), total_others), -1), -1)
    return binary, (others - total_others).masked_fill(target, 0.0)


def _kl(teacher_log_probs: Tensor, student_log_probs: Tensor) -> Tensor:
    return (teacher_log_probs.exp() * (teacher_log_probs - student_log_probs)).sum(-1)
