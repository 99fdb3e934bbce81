"""Douillard et al. 2020: PODNet, its classification loss."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses.fast.features import by_samples
from didact.losses.kit.checks import check_labels, check_tensor
from didact.losses.kit.precision import in_float
from didact.losses.kit.reduce import Reduction, reduce
from didact.losses.kit.registry import register_loss


@register_loss(
    family="incremental",
    purpose="new_apart",
    kind="objective",
    formula="relu(log(sum_(c != label) exp(scale s_c)) - scale (s_label - margin))",
    paper="Douillard et al. 2020 (PODNet), ECCV, arXiv:2004.13513, NCA loss",
)
def podnet_nca(
    student_logits: Float[Tensor, "*batch classes"],
    labels: Int64[Tensor, "*batch"],
    *,
    scale: float | Float[Tensor, ""] = 1.0,
    margin: float = 0.6,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Classification with a margin: the right class alone is asked for more.

    ``relu(log(sum_(c != label) exp(scale s_c)) - scale (s_label - margin))``. Code in circulation,
    the authors' included, takes the margin off every class, where it cancels.

    Args:
        student_logits: ``(..., classes)``: cosine similarities, before the scale.
        labels: ``(...)``, class numbers.
        scale: The learned factor, above 0; a tensor gets a gradient.
        margin: What the right class must be ahead, at least 0.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss in nats: a scalar, or ``(...)`` for ``"none"``.

    Raises:
        ShapeError: The labels do not fit, or there is no sample.
        DtypeError: Integer similarities, or labels that are not int64.
        RangeError: A label or ``margin`` out of range, or fewer than two classes.

    Paper: Douillard et al. 2020, arXiv:2004.13513, the NCA loss with hinge.

    Example:
        >>> import torch
        >>> from didact.losses import podnet_nca
        >>> round(podnet_nca(torch.tensor([[0.5, 0.25]]), torch.tensor([0])).item(), 4)
        0.35
    """
    check_tensor(student_logits, name="student_logits")
    classes = student_logits.shape[-1]
    if classes < 2:
        raise RangeError(f"student_logits has {classes} class; expected at least 2 to tell apart")
    check_labels(labels, student_logits.shape[:-1], classes=classes)
    if not margin >= 0:
        raise RangeError(f"margin is {margin}; expected a number from 0 up (0.6 is the paper's)")
    scores = in_float(student_logits)
    if isinstance(scale, Tensor):
        return reduce(_nca(scale, margin, scores, labels), reduction)
    formula, rows = partial(_nca, scale, margin), partial(_nca_value_and_gradient, scale, margin)
    return by_samples(scores, labels, rows, formula, reduction=reduction, on_logits=True)


def _nca(scale: float | Tensor, margin: float, scores: Tensor, labels: Tensor) -> Tensor:
    scores = scale * scores
    own = scores.gather(-1, labels.unsqueeze(-1))
    others = scores.scatter(-1, labels.unsqueeze(-1), -torch.inf).logsumexp(-1)
    return F.relu(others - own.squeeze(-1) + scale * margin)


def _nca_value_and_gradient(
    scale: float, margin: float, scores: Tensor, labels: Tensor, gradient: Tensor | None
) -> Tensor:
    own = scores.gather(-1, labels.unsqueeze(-1))
    others = torch.mul(scores, scale, out=gradient)
    others.scatter_(-1, labels.unsqueeze(-1), -torch.inf)
    largest = others.amax(-1, keepdim=True)
    total = others.sub_(largest).exp_().sum(-1, keepdim=True)
    wrong = total.log().add_(largest).sub_(own, alpha=scale).add_(scale * margin).relu_()
    if gradient is not None:
        push = wrong.sign().mul_(scale)
        gradient.mul_(push / total)
        gradient.scatter_(-1, labels.unsqueeze(-1), push.neg_())
    return wrong.squeeze(-1)
