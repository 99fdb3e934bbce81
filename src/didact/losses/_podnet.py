"""Douillard et al. 2020: PODNet, pooled outputs distillation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from didact._core.errors import RangeError
from didact.losses._card import card
from didact.losses._checks import check_labels, check_tensor
from didact.losses._features import feature_pair, reduce_features, safe_sqrt, unit
from didact.losses._lucir import cosine_distance
from didact.losses._precision import in_float
from didact.losses._reduce import Reduction, reduce

_PAPER = "Douillard et al. 2020, arXiv:2004.13513"


@card(
    family="incremental",
    kind="match",
    formula="|p(s)/|p(s)| - p(t)/|p(t)||,  p(f) = f^2 summed over height, and over width",
    paper=f"{_PAPER}, section 3.1, POD-spatial",
)
def podnet_spatial(
    student_features: Float[Tensor, "batch channels height width"],
    teacher_features: Float[Tensor, "batch channels height width"],
    *,
    squared: bool = False,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """Pooled outputs of one layer: column sums and row sums stay as they were.

    ``|p(s)/|p(s)| - p(t)/|p(t)||`` where ``p(f)`` holds, for each channel, the squared features
    summed over the width and those summed over the height.

    Args:
        student_features: ``(batch, channels, height, width)``, the end of a stage.
        teacher_features: Same shape, of the old model; no gradient goes to it.
        squared: The squared distance, as in the paper's equations, in place of the distance that
            the authors' code takes.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss of one layer; the paper's is the mean over the stages. A scalar, or ``(batch,)``
        for ``"none"``. Where both sides are equal the gradient is 0.

    Raises:
        ShapeError: The shapes differ, are not of four dimensions, or there is no sample.
        DtypeError: Integer features.

    Paper: Douillard et al. 2020, arXiv:2004.13513, section 3.1, POD-spatial as the sum of
    POD-width and POD-height; squaring and normalising as in the authors' code. Its weight is
    ``3 * sqrt(seen / new)`` classes on CIFAR-100, where the default distance was tuned.

    Example:
        >>> import torch
        >>> from didact.losses import podnet_spatial
        >>> left, right = torch.zeros(1, 2, 1, 1), torch.zeros(1, 2, 1, 1)
        >>> left[0, 0], right[0, 1] = 1.0, 3.0
        >>> round(podnet_spatial(left, right).item(), 4)
        1.4142
    """
    student, teacher = feature_pair(student_features, teacher_features, least_dim=4)
    distance = (_pooled(student) - _pooled(teacher)).square().sum(1)
    return reduce_features(distance if squared else safe_sqrt(distance), reduction, teacher)


def _pooled(features: Tensor) -> Tensor:
    energy = features.square()
    return unit(torch.cat([energy.sum(3).flatten(1), energy.sum(2).flatten(1)], dim=1))


@card(
    family="incremental",
    kind="match",
    formula="1 - cos(s, t)",
    paper=f"{_PAPER}, section 3.1, POD-flat",
)
def podnet_flat(
    student_features: Float[Tensor, batch * units],
    teacher_features: Float[Tensor, batch * units],
    *,
    reduction: Reduction = "mean",
) -> Float[Tensor, " ..."]:
    """The final embedding keeps its direction: ``1 - cos(s, t)``.

    Args:
        student_features: ``(batch, ...)``, the input of the cosine classifier.
        teacher_features: Same shape, of the old model; no gradient goes to it.
        reduction: ``"mean"`` over samples, ``"sum"`` or ``"none"``.

    Returns:
        The loss, from 0 to 2: a scalar, or ``(batch,)`` for ``"none"``. A feature of zeros has no
        direction: it counts 1/2 and gets no gradient.

    Raises:
        ShapeError: The shapes differ, or there is no sample.
        DtypeError: Integer features.

    Paper: Douillard et al. 2020, arXiv:2004.13513, section 3.1, POD-flat; half the squared
    distance of the unit vectors, as in the authors' code. Its weight is ``sqrt(seen / new)``.

    Example:
        >>> import torch
        >>> from didact.losses import podnet_flat
        >>> podnet_flat(torch.tensor([[1.0, 0.0]]), torch.tensor([[-2.0, 0.0]])).item()
        2.0
    """
    return cosine_distance(student_features, teacher_features, reduction)


@card(
    family="incremental",
    kind="objective",
    formula="relu(log(sum_(c != label) exp(scale s_c)) - scale (s_label - margin))",
    paper=f"{_PAPER}, section 3.2, NCA loss",
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

    Paper: Douillard et al. 2020, arXiv:2004.13513, section 3.2, the NCA loss with hinge.

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
    scores = scale * in_float(student_logits)
    own = scores.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    right = torch.arange(classes, device=labels.device) == labels.unsqueeze(-1)
    others = scores.masked_fill(right, -torch.inf).logsumexp(-1)
    return reduce(F.relu(others - own + scale * margin), reduction)
