"""The operations of PyTorch that losses are made of, on small arrays, with PyTorch's signatures."""

from didact.check.explain.formula.operations import (
    distributions,
    elementwise,
    losses,
    matrices,
    reductions,
    shapes,
)
from didact.check.explain.formula.operations.registry import OPERATIONS

__all__ = [
    "OPERATIONS",
    "distributions",
    "elementwise",
    "losses",
    "matrices",
    "reductions",
    "shapes",
]
