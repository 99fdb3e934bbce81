"""Hayes, Kanan 2020: Deep streaming linear discriminant analysis (SLDA)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from didact.methods.kit.frozen import FrozenBackbone, FrozenOptions, extended, sums_by_class
from didact.methods.kit.options import above_zero
from didact.methods.kit.registry import method


@dataclass(frozen=True)
class SldaOptions(FrozenOptions):
    """Hyperparameters of SLDA.

    Attributes:
        shrinkage: epsilon of ``(1 - epsilon) S + epsilon I``; 0.0001 in the authors' code.
    """

    shrinkage: float = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("slda.shrinkage", self.shrinkage)
        above_zero("1 - slda.shrinkage", 1 - self.shrinkage)


@method(
    "slda",
    summary="Frozen backbone; class means and one covariance, updated sample by sample.",
    paper="Hayes and Kanan 2020, arXiv:1909.01520",
    group="Frozen backbones",
)
class Slda(FrozenBackbone):
    """``w_c = L mu_c``, ``b_c = -mu_c^T L mu_c / 2``, ``L = ((1 - e) S + e I)^-1``.

    Mean and covariance are those of a stream of single samples:
    ``S <- (t S + t (f - mu_y)(f - mu_y)^T / (t + 1)) / (t + 1)``, then ``mu_y`` moves. A whole task
    is taken in one step that gives the same numbers. A class's first sample is its mean.

    Paper: Hayes and Kanan 2020, CVPR Workshops, arXiv:1909.01520, eq. 2-7.

    Compared:
        shrinkage: 0.0001 | 0.0001 | 0.0001
        covariance at the start: from the base classes | ones, or fitted on the base classes |
            zeros
        a class's first sample: its mean | differs from a mean of zeros | its mean
        inverse: not mentioned | pseudo-inverse | inverse: the shrinkage makes it exist
    """

    Options = SldaOptions

    def observe(self, features: Tensor, labels: Tensor, classes: int) -> None:
        """Update means and covariance, and compute the classifier."""
        sums = extended(self.kept.get("sums"), features.new_zeros(classes, features.shape[1]))
        counts = extended(self.kept.get("counts"), features.new_zeros(classes))
        scatter = self.kept.get("scatter", features.new_zeros(()))
        deviations = deviations_from_running_means(features, labels, sums, counts)
        times = counts.sum() + torch.arange(len(features), device=features.device)
        weighted = deviations * (times / (times + 1)).unsqueeze(1)
        self.kept["scatter"] = scatter + weighted.T @ deviations
        self.kept["sums"] = sums + sums_by_class(features, labels, classes)
        self.kept["counts"] = counts + torch.bincount(labels, minlength=classes)
        self._solve()

    def _solve(self) -> None:
        counts, epsilon = self.kept["counts"], self.options.shrinkage
        means = self.kept["sums"] / counts.clamp(min=1).unsqueeze(1)
        covariance = self.kept["scatter"] / counts.sum()
        unit = torch.eye(len(covariance), dtype=covariance.dtype, device=covariance.device)
        weight = torch.linalg.solve((1 - epsilon) * covariance + epsilon * unit, means.T)
        self.kept["weight"] = weight.float()
        self.kept["bias"] = (-(means * weight.T).sum(1) / 2).float()

    def predict(self, images: Tensor) -> Tensor:
        """The discriminants."""
        return self.features(images) @ self.kept["weight"] + self.kept["bias"]


def deviations_from_running_means(
    features: Tensor, labels: Tensor, sums: Tensor, counts: Tensor
) -> Tensor:
    """Each feature minus its class's mean over all samples before it.

    Args:
        features: ``(samples, width)``, in the order in which they come.
        labels: ``(samples,)``.
        sums: ``(classes, width)`` of the samples before these.
        counts: ``(classes,)``, likewise.

    Returns:
        ``(samples, width)``; 0 for the first sample of a class.
    """
    deviations = torch.zeros_like(features)
    for label in torch.bincount(labels).nonzero().flatten().tolist():
        places = (labels == label).nonzero().flatten()
        mine = features[places]
        before = sums[label] + mine.cumsum(0) - mine
        number = counts[label] + torch.arange(len(mine), device=mine.device)
        means = before / number.clamp(min=1).unsqueeze(1)
        deviations[places] = (mine - means).masked_fill((number == 0).unsqueeze(1), 0.0)
    return deviations
