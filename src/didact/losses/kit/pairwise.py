"""Distances between the samples of a batch, exact where they are close."""

from __future__ import annotations

import torch
from torch import Tensor

from didact.losses.kit.maps import product

# Squared distances below this share of the squared lengths are rounding: in units of float32
# the two samples are the same point.
_SAME_POINT = 1e-13
# Where no squared distance is below this share, float32 loses four bits at most: good enough where
# the product takes longer than all the rest, from so many multiplications.
_APART, _MANY = 1 / 16, 1 << 23


def gram(points: Tensor) -> Tensor:
    """Inner products of all pairs, ``(batch, batch)`` in float64 about the batch's mean.

    Differences of these cancel, which float32 would not survive; the products of float32 numbers
    are exact in float64. The mean is taken off because only differences are ever used.
    """
    exact = points.double()
    exact = exact - exact.mean(0, keepdim=True)
    return product(exact, exact.T)


def distances(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``|x_i - x_j|``, 0 between equal points; which are equal; and the points about their mean.

    The last in float64, unless no difference cancels. For no graph: what :func:`gram` and
    :func:`squared_distances` are to one.
    """
    if points.dtype == torch.float32 and points.numel() * len(points) > _MANY:
        centred = points - points.mean(0, keepdim=True)
        squared, both = _expanded(centred)
        if squared.sub(both, alpha=_APART).fill_diagonal_(1.0).amin() > 0:
            itself = torch.eye(len(points), dtype=torch.bool)
            return squared.fill_diagonal_(0.0).sqrt_(), itself, centred
    exact = points.double()
    exact = exact - exact.mean(0, keepdim=True)
    squared, both = _expanded(exact)
    equal = squared <= both.mul_(_SAME_POINT)
    found = squared.to(points.dtype).masked_fill_(equal, 0.0).sqrt_()
    return found, equal, exact


def _expanded(points: Tensor) -> tuple[Tensor, Tensor]:
    """``|x_i|^2 + |x_j|^2 - 2 x_i . x_j``, and the first two alone."""
    products = product(points, points.T)
    lengths = products.diagonal()
    both = lengths.unsqueeze(0) + lengths.unsqueeze(1)
    return both.sub(products, alpha=2), both


def squared_distances(products: Tensor) -> tuple[Tensor, Tensor]:
    """``|x_i - x_j|^2`` from :func:`gram`, 1 between equal points, and where points are equal.

    The 1 keeps a square root's derivative finite; mask the result.
    """
    lengths = products.diagonal()
    both = lengths.unsqueeze(0) + lengths.unsqueeze(1)
    squared = both - 2 * products
    equal = squared.detach() <= _SAME_POINT * both.detach()
    return squared.masked_fill(equal, 1.0), equal
