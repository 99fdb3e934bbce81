"""Heo et al. 2019: Knowledge transfer via distillation of activation boundaries."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses._card import card
from didact.losses._features import feature_pair, reduce_features
from didact.losses._reduce import Reduction


@card(
    family="features",
    kind="objective",
    formula="sum over neurons of relu(m - sign(t) s)^2,  sign(t) = +1 where t > 0, else -1",
    paper="Heo et al. 2019, arXiv:1811.03233, section 3",
)
def ab(
    student_features: Float[Tensor, " batch *units"],
    teacher_features: Float[Tensor, " batch *units"],
    *,
    margin: float = 1.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Activation boundaries: each neuron is to be on where the teacher's is, with a margin.

    ``sum_u relu(margin - g_u s_u)^2`` with ``g_u = +1`` where the teacher's response is above 0
    and ``-1`` elsewhere. Only the side of the boundary is transferred, not the size, so the loss
    is not 0 where student and teacher are equal but within the margin.

    Args:
        student_features: ``(batch, ...)``: responses before the activation function, brought to
            the teacher's shape by a connector (1x1 convolution and batch norm in the paper).
        teacher_features: Same shape, before the activation; no gradient goes to it.
        margin: How far on the right side a response must be, at least 0.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss: a scalar, or ``(batch,)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer features.
        RangeError: ``margin`` is below 0.

    Paper: Heo et al. 2019, arXiv:1811.03233, section 3 (the alternative loss for back-propagation).

    Example:
        >>> import torch
        >>> from didact.losses import ab
        >>> ab(torch.tensor([[0.5, -3.0]]), torch.tensor([[9.0, -0.1]])).item()
        0.25
    """
    if not margin >= 0:
        raise RangeError(f"margin is {margin}; expected a number from 0 (1 is the paper's)")
    student, teacher = feature_pair(student_features, teacher_features)
    side = torch.where(teacher > 0, 1.0, -1.0).to(student.dtype)
    per_sample = F.relu(margin - student * side).square().flatten(1).sum(1)
    unseen = 0 * teacher.flatten(1).sum(1)  # NaN is on no side, and must not go unseen
    return reduce_features(per_sample + unseen, reduction, teacher)
