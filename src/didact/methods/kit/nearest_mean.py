"""Classification by the nearest class mean in feature space."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def class_means(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The mean direction of each class: features scaled to length 1, averaged, scaled again.

    Args:
        features: ``(samples, width)``.
        labels: ``(samples,)``, class numbers below ``classes``.
        classes: How many classes there are.

    Returns:
        ``(classes, width)``; NaN for a class without samples, which is then never the nearest.

    Paper: Rebuffi et al. 2017, arXiv:1611.07725, section 2.1 and algorithm 1: "all feature
    vectors are L2-normalized, and the results of any operation on feature vectors, e.g.
    averages, are also re-normalized".
    """
    directions = F.normalize(features.double(), dim=-1)
    sums = directions.new_zeros(classes, features.shape[-1]).index_add_(0, labels, directions)
    counts = torch.bincount(labels, minlength=classes)
    means = F.normalize(sums / counts.clamp(min=1).unsqueeze(1), dim=-1)
    return means.masked_fill((counts == 0).unsqueeze(1), torch.nan).to(features.dtype)


def nearest_mean_scores(features: Tensor, means: Tensor) -> Tensor:
    """Minus the squared distance to each class mean, ``(samples, classes)``; the highest wins.

    Args:
        features: ``(samples, width)``; scaled to length 1 here.
        means: ``(classes, width)`` of :func:`class_means`; a row of NaN scores minus infinity.
    """
    cosines = F.normalize(features, dim=-1) @ means.nan_to_num(0.0).T
    return (2 * cosines - 2).masked_fill(means.isnan().any(1), -torch.inf)
