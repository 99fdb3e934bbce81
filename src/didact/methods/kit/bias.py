"""The two numbers that undo the bias towards new classes."""

from __future__ import annotations

import torch
from torch import Tensor

MOST_STEPS = 100
RIDGE = 1e-3


def fit_bias(
    logits: Tensor, labels: Tensor, *, old_classes: int, ridge: float = RIDGE
) -> tuple[float, float]:
    """Minimise the cross-entropy of corrected logits over ``alpha`` and ``beta``.

    The corrected logits are ``z_c`` for old classes and ``alpha * z_c + beta`` for new ones. The
    problem is convex; Newton's method with halved steps solves it in float64.

    Args:
        logits: ``(samples, classes)`` of held-out samples of all classes, old classes first.
        labels: ``(samples,)``.
        old_classes: How many of the classes are old.
        ridge: ``ridge/2 * ((alpha - 1)^2 + beta^2)`` is added. Without it there is no finite
            minimum where few held-out samples are told apart without a mistake.

    Returns:
        ``alpha`` and ``beta``.

    Paper: Wu et al. 2019, CVPR, arXiv:1905.13260 (bias correction layer): on logits, with
    softmax and cross-entropy once.
    """
    scores = logits.double()
    start = scores.new_tensor([1.0, 0.0])
    identity = torch.eye(2, dtype=scores.dtype, device=scores.device)

    def at(point: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        loss, gradient, curvature = _second_order(scores, labels, old_classes, point)
        away = point - start
        return (
            loss + ridge / 2 * away.square().sum(),
            gradient + ridge * away,
            curvature + (ridge + 1e-12) * identity,
        )

    point, (loss, gradient, curvature) = start, at(start)
    for _ in range(MOST_STEPS):
        step, size = torch.linalg.solve(curvature, gradient), 1.0
        while size > 1e-9 and not (found := at(point - size * step))[0] < loss:
            size /= 2
        if size <= 1e-9:
            break
        point = point - size * step
        loss, gradient, curvature = found
    return float(point[0]), float(point[1])


def _second_order(
    scores: Tensor, labels: Tensor, old_classes: int, point: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean cross-entropy, its gradient and its Hessian in ``(alpha, beta)``."""
    new = torch.zeros_like(scores)
    new[:, old_classes:] = 1.0
    slopes = torch.stack([scores * new, new], dim=-1)  # how each logit moves with the two
    log_probs = (scores * (1 - new) + slopes @ point).log_softmax(-1)
    probs = log_probs.exp()
    rows = torch.arange(len(labels), device=labels.device)
    expected = torch.einsum("nc,nck->nk", probs, slopes)
    gradient = (expected - slopes[rows, labels]).mean(0)
    second = torch.einsum("nc,nck,ncl->kl", probs, slopes, slopes) / len(labels)
    curvature = second - expected.T @ expected / len(labels)
    return -log_probs[rows, labels].mean(), gradient, curvature
