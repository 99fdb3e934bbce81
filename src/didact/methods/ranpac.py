"""McDonnell et al. 2023: RanPAC, random projections and pre-trained models."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from didact.data import generator_for
from didact.methods.kit.frozen import FrozenBackbone, FrozenOptions, extended
from didact.methods.kit.options import at_least
from didact.methods.kit.registry import method
from didact.methods.kit.ridge import ridge_classifier

PENALTIES = tuple(10.0**power for power in range(-8, 9))
FITTED = 0.8


@dataclass(frozen=True)
class RanpacOptions(FrozenOptions):
    """Hyperparameters of RanPAC.

    Attributes:
        width: M, the random features; the paper takes 10,000 for transformers of width
            768. Time grows with its cube, memory with its square.
    """

    width: int = 2000

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("ranpac.width", self.width, 1)


@method(
    "ranpac",
    summary="Frozen backbone; ridge regression on random features, exact over all tasks.",
    paper="McDonnell et al. 2023, arXiv:2307.02251",
    group="Frozen backbones",
)
class Ranpac(FrozenBackbone):
    """``relu(f R)^T (G + lambda I)^-1 C`` with ``G`` and ``C`` summed over all tasks.

    ``lambda`` is chosen for each task among ``10^-8 ... 10^8``: fitted on 80% of the task's images,
    the one with the least squared error on the other 20%, as in the authors' code.

    Paper: McDonnell et al. 2023, NeurIPS, arXiv:2307.02251, eq. 4 and 5.

    Compared:
        lambda: cross-validated for each task | among ``10^-8 ... 10^8``, least squared error on a
            fifth of the task | the same, the fifth drawn at random
        width: 10,000 | 10,000 | 2,000, ``width``
        first session: adapters, SSF or VPT on the first task | the same, SGD with cosine | the
            whole network on the first task unless ``train_first=false``
        precision: not mentioned | float32 | sums in float64
    """

    Options = RanpacOptions

    def observe(self, features: Tensor, labels: Tensor, classes: int) -> None:
        """Add to the sums and solve."""
        if "projection" not in self.kept:
            generator = generator_for(self.setting.seed, "projection")
            drawn = torch.randn(features.shape[1], self.options.width, generator=generator)
            self.kept["projection"] = drawn.to(features.device)
        hidden = self._random_features(features)
        targets = F.one_hot(labels, classes).to(hidden.dtype)
        order = torch.randperm(len(labels), generator=generator_for(self.setting.seed, "ridge"))
        order = order.to(hidden.device)
        penalty = choose_penalty(hidden[order], targets[order])
        moments = targets.T @ hidden
        gram = self.kept.get("gram", hidden.new_zeros(())) + hidden.T @ hidden
        self.kept["moments"] = extended(self.kept.get("moments"), moments) + moments
        self.kept["gram"] = gram
        self.kept["weight"] = ridge_classifier(gram, self.kept["moments"].T, penalty).float()

    def predict(self, images: Tensor) -> Tensor:
        """The regression's answer."""
        return self._random_features(self.features(images)) @ self.kept["weight"]

    def _random_features(self, features: Tensor) -> Tensor:
        return F.relu(features @ self.kept["projection"].to(features.dtype))


def choose_penalty(hidden: Tensor, targets: Tensor) -> float:
    """The penalty with the least squared error on the last fifth of the samples.

    Args:
        hidden: ``(samples, width)``, in random order.
        targets: ``(samples, classes)``, one-hot.
    """
    fitted = min(max(1, int(FITTED * len(hidden))), max(len(hidden) - 1, 1))
    seen, left_out = slice(0, fitted), slice(min(fitted, len(hidden) - 1), None)
    known = hidden[seen]
    if len(known) >= hidden.shape[1]:
        lengths, vectors = torch.linalg.eigh(known.T @ known)
        wanted, rotated = vectors.T @ (known.T @ targets[seen]), hidden[left_out] @ vectors
    else:
        lengths, vectors = torch.linalg.eigh(known @ known.T)
        wanted, rotated = vectors.T @ targets[seen], hidden[left_out] @ known.T @ vectors
    errors = []
    for penalty in PENALTIES:
        shrunk = wanted / (lengths.clamp(min=0) + penalty).unsqueeze(1)
        errors.append((float(F.mse_loss(rotated @ shrunk, targets[left_out])), penalty))
    return min(errors)[1]
