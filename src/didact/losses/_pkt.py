"""Passalis, Tefas 2018: Learning deep representations with probabilistic knowledge transfer."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from didact.losses._card import card
from didact.losses._features import feature_pair, judged, product, unit

# The kernel of two opposite vectors is 0, whose logarithm the loss would need.
_LEAST_KERNEL = 1e-7


@card(
    family="relations",
    kind="match",
    formula="mean over j of KL(p(.|j; t) || p(.|j; s)),  p(i|j) ~ (1 + cos(f_i, f_j)) / 2",
    paper="Passalis and Tefas 2018, arXiv:1803.10837, section 3",
)
def pkt(
    student_features: Float[Tensor, " batch *student_units"],
    teacher_features: Float[Tensor, " batch *teacher_units"],
) -> Float[Tensor, ""]:
    """Which sample would pick which as its neighbour: KL between the two networks' answers.

    ``mean_j sum_(i != j) p_ij log(p_ij / q_ij)``, where ``p_ij`` (teacher) and ``q_ij`` (student)
    are the cosine kernels ``(1 + cos(f_i, f_j)) / 2`` divided by their sum over ``i != j``. The
    sides may differ in all but the batch.

    Args:
        student_features: ``(batch, ...)``; everything after the batch is flattened.
        teacher_features: ``(batch, ...)``; no gradient goes to it.

    Returns:
        A scalar in nats: the samples of a batch interact. It is 0 for fewer than three samples,
        where the answer is certain. A zero vector has cosine 0 with every other.

    Raises:
        ShapeError: The batches differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Passalis and Tefas 2018, arXiv:1803.10837, section 3: cosine kernel, conditional
    probabilities, KL. The authors' code keeps a sample's kernel with itself and divides by
    ``batch^2``; a weight tuned for it (30000) is that over the batch size here.

    Example:
        >>> import torch
        >>> from didact.losses import pkt
        >>> points = torch.tensor([[1.0, 0.0], [1.0, 1.0], [-1.0, 2.0]])
        >>> pkt(3 * points, points).item() < 1e-6
        True
    """
    student, teacher = feature_pair(student_features, teacher_features, alike="batch")
    student_kernel, teacher_kernel = _kernel(student), _kernel(teacher)
    itself = torch.eye(len(student), dtype=torch.bool, device=student.device)
    student_sums = student_kernel.masked_fill(itself, 0.0).sum(1).clamp(min=_LEAST_KERNEL)
    teacher_others = teacher_kernel.masked_fill(itself, 0.0)
    teacher_sums = teacher_others.sum(1).clamp(min=_LEAST_KERNEL)
    teacher_probs = teacher_others / teacher_sums.unsqueeze(1)
    log_ratio = (teacher_kernel / student_kernel).log()
    total = (teacher_probs * log_ratio).sum() + (student_sums.log() - teacher_sums.log()).sum()
    return judged(total / len(student), teacher)


def _kernel(features: Tensor) -> Tensor:
    directions = unit(features.flatten(1))
    return (product(directions, directions.T) / 2 + 0.5).clamp(min=_LEAST_KERNEL)
