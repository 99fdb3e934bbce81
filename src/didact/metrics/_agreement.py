"""How faithfully a student repeats its teacher (Stanton et al. 2021, arXiv:2106.05945)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from didact._core.errors import ShapeError
from didact.metrics._checks import flat_logits


def agreement_top1(
    student_logits: Float[Tensor, "*batch classes"], teacher_logits: Float[Tensor, "*batch classes"]
) -> float:
    """The share of samples on which both name the same class: ``mean(argmax s == argmax t)``.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape.

    Returns:
        A fraction from 0 to 1. It says nothing about who is right.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits.
        NonFiniteError: NaN or infinity among the logits.

    Paper: Stanton et al. 2021, Does knowledge distillation really work?, arXiv:2106.05945,
    equation 5.

    Example:
        >>> import torch
        >>> from didact.metrics import agreement_top1
        >>> agreement_top1(torch.tensor([[2.0, 1.0]]), torch.tensor([[9.0, 1.0]]))
        1.0
    """
    student, teacher = _pair(student_logits, teacher_logits)
    return float((student.argmax(dim=-1) == teacher.argmax(dim=-1)).double().mean())


def agreement_kl(
    student_logits: Float[Tensor, "*batch classes"], teacher_logits: Float[Tensor, "*batch classes"]
) -> float:
    """Mean divergence from the teacher, ``mean(sum_c p_c (log p_c - log q_c))``, in nats.

    Here ``p = softmax(t)`` is the teacher's distribution and ``q = softmax(s)`` the student's, both
    at temperature 1: ``KL(teacher || student)``.

    Args:
        student_logits: ``(..., classes)``.
        teacher_logits: Same shape.

    Returns:
        Nats, at least 0; 0 where the distributions are equal.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer logits.
        NonFiniteError: NaN or infinity among the logits.

    Paper: Stanton et al. 2021, Does knowledge distillation really work?, arXiv:2106.05945,
    equation 6.

    Example:
        >>> import torch
        >>> from didact.metrics import agreement_kl
        >>> agreement_kl(torch.tensor([[2.0, 1.0]]), torch.tensor([[3.0, 2.0]]))
        0.0
    """
    student, teacher = _pair(student_logits, teacher_logits)
    student_log_probs = F.log_softmax(student, dim=-1)
    teacher_log_probs = F.log_softmax(teacher, dim=-1)
    divergence = (teacher_log_probs.exp() * (teacher_log_probs - student_log_probs)).sum(dim=-1)
    return max(float(divergence.mean()), 0.0)


def _pair(student_logits: Tensor, teacher_logits: Tensor) -> tuple[Tensor, Tensor]:
    if student_logits.shape != teacher_logits.shape:
        raise ShapeError(
            f"student_logits is {tuple(student_logits.shape)} and teacher_logits is "
            f"{tuple(teacher_logits.shape)}; expected one shape: the same samples and classes"
        )
    return (
        flat_logits(student_logits, name="student_logits"),
        flat_logits(teacher_logits, name="teacher_logits"),
    )
