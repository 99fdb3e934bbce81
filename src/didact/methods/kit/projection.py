"""Gradients turned so that they do not raise the loss on what is remembered."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def read_gradients(parameters: Iterable[Tensor]) -> Tensor:
    """All gradients as one vector; a parameter without one counts zeros."""
    return torch.cat(
        [(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in parameters]
    )


def write_gradients(parameters: Iterable[Tensor], vector: Tensor) -> None:
    """Put the parts of ``vector`` in the place of the parameters' gradients."""
    start = 0
    for parameter in parameters:
        part = vector[start : start + parameter.numel()]
        parameter.grad = part.view_as(parameter).clone()
        start += parameter.numel()


def project_average(gradient: Tensor, reference: Tensor) -> Tensor:
    """A-GEM: ``g - (g.r / r.r) r`` where ``g`` and ``r`` are at odds, else ``g`` itself.

    Args:
        gradient: ``(numbers,)``, of the current batch.
        reference: ``(numbers,)``, of a batch from the memory.

    Paper: Chaudhry et al. 2019, ICLR, arXiv:1812.00420.
    """
    agreement = torch.dot(gradient, reference)
    if agreement >= 0:
        return gradient
    return gradient - agreement / torch.dot(reference, reference) * reference


def project_all(gradient: Tensor, references: Tensor, *, strength: float = 0.0) -> Tensor:
    """GEM: the nearest vector to ``g`` that is at odds with none of the references.

    The dual of the quadratic programme, ``min_v |R^T v + g|^2`` with every ``v >= strength``, is a
    non-negative least-squares problem of one unknown for each reference; the answer is
    ``R^T v + g``.

    Args:
        gradient: ``(numbers,)``, of the current batch.
        references: ``(tasks, numbers)``, one gradient for each earlier task.
        strength: The authors' margin: above 0, the answer is pushed towards the references.

    Paper: Lopez-Paz, Ranzato 2017, NeurIPS, arXiv:1706.08840.
    """
    from scipy.optimize import nnls

    if bool((references @ gradient >= 0).all()):
        return gradient
    rows = references.double()
    target = gradient.double() + strength * rows.sum(0)
    basis, triangle = torch.linalg.qr(rows.T)
    weights, _ = nnls(triangle.cpu().numpy(), -(basis.T @ target).cpu().numpy())
    factors = torch.from_numpy(weights).to(rows) + strength
    return (gradient.double() + rows.T @ factors).to(gradient.dtype)
