"""Herding: the exemplars whose mean stays closest to the class mean (Welling 2009, iCaRL)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from didact._core.errors import RangeError


def herding(
    features: Float[Tensor, "samples width"], count: int, *, normalise: bool = True
) -> Int64[Tensor, " picks"]:
    """The indices of ``count`` samples, best first.

    Pick ``k`` is ``argmin_i || mean - (f_i + sum of the picks before) / k ||`` among the samples
    not yet picked, the lowest index on a tie. The first ``m`` of ``n`` picks are those of
    ``herding(features, m)``, so exemplars are dropped from the end.

    With ``S`` the sum of the picks, ``k**2`` times the squared norm is, up to a constant,
    ``||f_i||² - 2 k f_i · mean + 2 f_i · S``, and ``f_i · S`` grows by one row of the Gram matrix
    with each pick.

    Args:
        features: ``(samples, width)`` of one class.
        count: How many; at most ``samples`` are given.
        normalise: Bring features to length 1 first, as the paper does (section 2.1). Their mean
            would then be brought to length 1 again by the paper's words; here, as in the authors'
            code, it is not: no mean of several directions is that long, so the picks would crowd
            around the class's centre.

    Raises:
        RangeError: ``count`` is negative.

    Paper: Rebuffi et al. 2017, iCaRL, arXiv:1611.07725, algorithm 4.

    Example:
        >>> import torch
        >>> from didact.data import herding
        >>> herding(torch.tensor([[0.0], [1.0], [5.0]]), 2, normalise=False).tolist()
        [1, 2]
    """
    if count < 0:
        raise RangeError(f"count is {count}; expected at least 0")
    samples = len(features)
    points = features if features.dtype == torch.float64 else features.float()
    points = F.normalize(points, dim=-1) if normalise else points
    exact = points.double()
    mean = exact.mean(0) if samples else exact.sum(0)
    # These grow with k and are exact; a row of products in float32 is as exact as the features.
    twice_toward, score = 2 * (exact @ mean), exact.square().sum(-1)
    picks: list[int] = []
    for _ in range(min(count, samples)):
        score -= twice_toward
        best = int(score.round(decimals=6).argmin())  # equal samples tie, whatever the rounding
        picks.append(best)
        score += 2 * (points @ points[best])
        score[best] = torch.inf
    return torch.tensor(picks, dtype=torch.int64)
