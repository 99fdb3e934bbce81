"""Distances between the samples of a batch, exact where they are close."""

from __future__ import annotations

from torch import Tensor

from didact.losses._features import product

# Squared distances below this share of the squared lengths are rounding: in units of float32
# the two samples are the same point.
_SAME_POINT = 1e-13


def gram(points: Tensor) -> Tensor:
    """Inner products of all pairs, ``(batch, batch)`` in float64 about the batch's mean.

    Differences of these cancel, which float32 would not survive; the products of float32 numbers
    are exact in float64. The mean is taken off because only differences are ever used.
    """
    exact = points.double()
    exact = exact - exact.mean(0, keepdim=True)
    return product(exact, exact.T)


def squared_distances(products: Tensor) -> tuple[Tensor, Tensor]:
    """``|x_i - x_j|^2`` from :func:`gram`, 1 between equal points, and where points are equal.

    The 1 keeps a square root's derivative finite; mask the result.
    """
    lengths = products.diagonal()
    both = lengths.unsqueeze(0) + lengths.unsqueeze(1)
    squared = both - 2 * products
    equal = squared.detach() <= _SAME_POINT * both.detach()
    return squared.masked_fill(equal, 1.0), equal
