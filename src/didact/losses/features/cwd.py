"""Shu et al. 2021: Channel-wise knowledge distillation for dense prediction."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from didact.losses.kit.checks import check_temperature
from didact.losses.kit.maps import feature_pair
from didact.losses.kit.reduce import Reduction, check_reduction, raise_if_teacher_not_finite, reduce
from didact.losses.kit.registry import register_loss
from didact.losses.logits.kd import kd_unchecked


@register_loss(
    family="features",
    purpose="maps",
    kind="match",
    formula="mean over channels of T^2 * KL(softmax_positions(t/T) || softmax_positions(s/T))",
    paper="Shu et al. 2021 (CWD), ICCV, arXiv:2011.13256, section 3.2",
)
def cwd(
    student_features: Float[Tensor, " batch channels *positions"],
    teacher_features: Float[Tensor, " batch channels *positions"],
    *,
    temperature: float = 4.0,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Where each channel looks: a softmax over the positions of a map, not over classes.

    ``T^2 / C * sum_c sum_i p_ci log(p_ci / q_ci)`` with ``p_c = softmax_i(t_ci / T)``: each channel
    of a map, or each class of the logits of a segmentation network, is a distribution over the
    positions, and the student's is brought to the teacher's. What is salient for the teacher
    counts; its background hardly does.

    Args:
        student_features: ``(batch, channels, height, width)`` or any other positions; logits
            ``(batch, classes, height, width)`` likewise. Where the channels differ, pass the
            student's through a 1x1 convolution first.
        teacher_features: Same shape; no gradient goes to it.
        temperature: T > 0, 4 in the paper.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss in nats, averaged over channels: a scalar, or ``(batch,)`` for ``"none"``.

    Raises:
        ShapeError: The shapes differ, there are no positions, or there is no sample.
        DtypeError: Integer features.
        RangeError: ``temperature`` is not above 0.
        NonFiniteError: The teacher's features hold NaN or infinity (looked for on a CPU only).

    Paper: Shu, Liu, Gao, Yan, Shen 2021, Channel-wise knowledge distillation for dense prediction,
    ICCV, arXiv:2011.13256, section 3.2. Its usual weights, 3 on logits and 50 on features, belong
    to this scale.

    Example:
        >>> import torch
        >>> from didact.losses import cwd
        >>> maps = torch.randn(2, 3, 4, 4)
        >>> cwd(maps + 7.0, maps).item() < 1e-5  # the size of a channel does not matter
        True
    """
    student, teacher = feature_pair(student_features, teacher_features, least_dim=3)
    check_temperature(temperature)
    check_reduction(reduction)
    rows, targets = student.flatten(2), teacher.flatten(2)
    if reduction == "mean":  # over samples and channels at once
        value = kd_unchecked(rows, targets, temperature, "mean")
    else:
        each = kd_unchecked(rows, targets, temperature, "none").mean(1)
        value = reduce(each, reduction)
    raise_if_teacher_not_finite(value, teacher, name="teacher_features")
    return value
