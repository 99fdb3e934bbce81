"""Zhang, Chen, Wang 2022: Confidence-aware multi-teacher knowledge distillation (CA-MKD)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from didact.losses.kit.checks import check_labels
from didact.losses.kit.pair import blank_masked
from didact.losses.kit.precision import target_for
from didact.losses.kit.reduce import Reduction
from didact.losses.kit.registry import register_loss
from didact.losses.kit.softmax import soft_log_probs
from didact.losses.kit.teacher_list import check_teachers, raise_if_a_teacher_not_finite
from didact.losses.teachers.weighted_sum import weighted_sum


@register_loss(
    family="teachers",
    purpose="teachers",
    kind="divergence",
    formula="sum_k w_k T^2 KL(p_k || q), w_k = (1 - softmax_k(CE(t_k, label))) / (K - 1)",
    paper="Zhang et al. 2022 (CA-MKD), ICASSP, arXiv:2201.00007",
)
def kd_confidence_weighted(
    student_logits: Float[Tensor, "*batch classes"],
    teachers_logits: Sequence[Float[Tensor, "*batch classes"]],
    labels: Int64[Tensor, "*batch"],
    *,
    temperature: float = 4.0,
    reduction: Reduction = "mean",
    mask: Bool[Tensor, "*batch"] | None = None,
) -> Float[Tensor, ...]:
    """Each sample listens most to the teachers that know its label.

    A teacher's weight for a sample falls with its cross-entropy there:
    ``w_k = (1 - exp(CE_k) / sum_j exp(CE_j)) / (K - 1)``. They sum to 1. A teacher that is alone
    has weight 1.

    Args:
        student_logits: ``(..., classes)``.
        teachers_logits: One tensor of the same shape for each teacher; no gradient goes to them.
        labels: Class numbers, ``(...)``.
        temperature: T > 0, of the divergences; the weights are made at temperature 1.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.
        mask: True where a position counts, ``(...)``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: A shape differs, or there is no sample.
        DtypeError: Integer logits, labels that are not int64, or a mask that is not boolean.
        RangeError: A label outside the classes, or ``temperature`` not above 0.
        UsageError: No teacher, or an unknown reduction.
        NonFiniteError: A teacher's logits hold NaN or infinity (looked for on a CPU only).

    Paper: Zhang, Chen, Wang 2022, Confidence-aware multi-teacher knowledge distillation, ICASSP,
    arXiv:2201.00007.

    Example:
        >>> import torch
        >>> from didact.losses import kd, kd_confidence_weighted
        >>> right, wrong = torch.tensor([[50.0, 0.0]]), torch.tensor([[0.0, 50.0]])
        >>> student, label = torch.zeros(1, 2), torch.tensor([0])
        >>> loss = kd_confidence_weighted(student, [right, wrong], label)
        >>> torch.allclose(loss, kd(student, right))
        True
    """
    check_teachers(
        student_logits, teachers_logits, temperature=temperature, reduction=reduction, mask=mask
    )
    check_labels(labels, student_logits.shape[:-1], classes=student_logits.shape[-1])
    weights = _confidence(student_logits, teachers_logits, labels, mask)
    return weighted_sum(student_logits, teachers_logits, weights, temperature, reduction, mask)


def _confidence(
    student_logits: Tensor, teachers_logits: Sequence[Tensor], labels: Tensor, mask: Tensor | None
) -> list[Tensor]:
    cross_entropies = torch.stack(
        [
            _cross_entropy(blank_masked(target_for(student_logits, teacher), mask), labels)
            for teacher in teachers_logits
        ]
    )
    raise_if_a_teacher_not_finite(cross_entropies, teachers_logits)
    if len(teachers_logits) == 1:
        return [torch.ones_like(cross_entropies[0])]
    return list((1 - cross_entropies.softmax(0)) / (len(teachers_logits) - 1))


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """That of each sample, ``(...)``."""
    return -soft_log_probs(logits).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
