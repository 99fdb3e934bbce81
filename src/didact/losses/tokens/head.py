"""A network's last step as data, and its products with the weights in float32."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from didact._core.errors import RangeError, ShapeError, UsageError
from didact.losses.kit.checks import check_floating

BLOCK = 4096
"""Classes whose weights are made float32 at a time, where a product cannot do so by itself."""


@dataclass(frozen=True, slots=True)
class Head:
    """A network's last step as data: ``logits = softcap(scale * (hidden @ weight.T + bias))``.

    Args:
        hidden: ``(..., units)``, the hidden states of the last layer.
        weight: ``(classes, units)``, of the output layer.
        bias: ``(classes,)``.
        scale: A factor of the logits: Cohere's ``logit_scale``, ``1 / logits_scaling`` of Granite.
        softcap: A bound c of the logits, ``c * tanh(logits / c)``: Gemma's
            ``final_logit_softcapping``.

    Raises:
        ShapeError: They do not fit together.
        DtypeError: They hold integers.
        RangeError: ``scale`` or ``softcap`` is not above 0.

    Example:
        >>> import torch
        >>> from didact.losses import Head
        >>> head = Head(torch.randn(2, 5, 4), torch.randn(11, 4), softcap=30.0)
        >>> head.shape, head[:, :-1].shape
        (torch.Size([2, 5, 11]), torch.Size([2, 4, 11]))
    """

    hidden: Float[Tensor, "*batch units"]
    weight: Float[Tensor, "classes units"]
    bias: Float[Tensor, " classes"] | None = None
    scale: float = 1.0
    softcap: float | None = None

    def __post_init__(self) -> None:
        check_floating(self.hidden, name="hidden")
        check_floating(self.weight, name="weight")
        if (
            self.weight.dim() != 2
            or self.hidden.dim() < 2
            or self.hidden.shape[-1] != self.weight.shape[1]
        ):
            raise ShapeError(
                f"hidden is {tuple(self.hidden.shape)} and weight {tuple(self.weight.shape)}; "
                "expected (..., units) and (classes, units)"
            )
        if 0 in (*self.hidden.shape, *self.weight.shape):
            raise ShapeError(
                f"hidden is {tuple(self.hidden.shape)} and weight {tuple(self.weight.shape)}, an "
                "empty batch; expected at least one token and one class. Skip the step when "
                "nothing is left of a batch."
            )
        if self.bias is not None and self.bias.shape != self.weight.shape[:1]:
            raise ShapeError(
                f"bias is {tuple(self.bias.shape)}; expected ({self.weight.shape[0]},)"
            )
        for name, value in (("scale", self.scale), ("softcap", self.softcap)):
            if value is not None and not 0 < value < math.inf:
                raise RangeError(f"{name} is {value}; expected a number above 0")

    def __getitem__(self, positions: Any) -> Head:
        """The head of some of the positions: ``head[:, :-1]`` of ``(batch, tokens)``."""
        return replace(self, hidden=self.hidden[places(positions, self.hidden.dim(), "Head")])

    @property
    def shape(self) -> torch.Size:
        """That of the logits, ``(..., classes)``."""
        return torch.Size((*self.hidden.shape[:-1], len(self.weight)))

    @property
    def dtype(self) -> torch.dtype:
        """The precision of its logits: float64 where hidden states or weights are, else float32."""
        return wider(self.hidden.dtype, self.weight.dtype)

    def flat(self) -> Head:
        """The same without a graph, with one leading dimension."""
        hidden = self.hidden.detach().reshape(-1, self.hidden.shape[-1])
        bias = None if self.bias is None else self.bias.detach()
        return replace(self, hidden=hidden, weight=self.weight.detach(), bias=bias)

    def logits(self) -> Tensor:
        """All of them, in float32 or better: no rounding to half precision on the way."""
        found = project(self.hidden, self.weight)
        if self.bias is not None:
            found = found.add_(self.bias)
        if self.scale != 1:
            found = found.mul_(self.scale)
        return (
            found if self.softcap is None else found.div_(self.softcap).tanh_().mul_(self.softcap)
        )

    def slope(self, logits: Tensor) -> Tensor | float:
        """The factor of a gradient on its way from the logits to the product with the weight."""
        if self.softcap is None:
            return self.scale
        return (logits / self.softcap).square_().neg_().add_(1).mul_(self.scale)


def places(positions: Any, dims: int, what: str) -> tuple[Any, ...]:
    """Positions as a tuple that leaves the last of some dimensions alone.

    Raises:
        UsageError: They reach into it.
    """
    taken = positions if isinstance(positions, tuple) else (positions,)
    if len(taken) >= dims or any(place is Ellipsis for place in taken):
        raise UsageError(f"{positions} takes more than the positions of a {what}")
    return taken


def project(rows: Tensor, weight: Tensor) -> Tensor:
    """``rows @ weight.T``, added up and kept in float32 where the inputs are narrower.

    Where autocast has made one of them narrow, a GPU multiplies both so, as autocast would.

    Args:
        rows: ``(rows, units)``.
        weight: ``(classes, units)``.
    """
    wide = wider(rows.dtype, weight.dtype)
    if rows.dtype == weight.dtype == wide:
        return rows @ weight.T
    if rows.is_cuda and wide == torch.float32 and _wide_products():
        narrow = weight.dtype if rows.dtype == wide else rows.dtype
        return torch.mm(rows.to(narrow), weight.to(narrow).T, out_dtype=wide)
    rows = rows.to(wide)
    if weight.dtype == wide:
        return rows @ weight.T
    found = rows.new_empty(len(rows), len(weight))
    for first in range(0, len(weight), BLOCK):
        classes = slice(first, first + BLOCK)
        torch.mm(rows, weight[classes].to(wide).T, out=found[:, classes])
    return found


def project_back(slope: Tensor, weight: Tensor) -> Tensor:
    """``slope @ weight``, the gradient of hidden states.

    Args:
        slope: ``(rows, classes)``, in float32 or better.
        weight: ``(classes, units)``.
    """
    if weight.dtype == slope.dtype:
        return slope @ weight
    if weight.is_cuda:  # products of half precision are added up in float32 there
        return slope.to(weight.dtype) @ weight
    found = slope.new_zeros(len(slope), weight.shape[1])
    for first in range(0, len(weight), BLOCK):
        classes = slice(first, first + BLOCK)
        found.addmm_(slope[:, classes], weight[classes].to(slope.dtype))
    return found


def add_outer(total: Tensor, slope: Tensor, rows: Tensor) -> None:
    """``total += slope.T @ rows``, the gradient of a weight, in the precision of ``total``."""
    if rows.is_cuda and rows.dtype != total.dtype and _wide_products():
        for first in range(0, len(total), BLOCK):
            part = slope[:, first : first + BLOCK].T.to(rows.dtype)
            total[first : first + BLOCK] += torch.mm(part, rows, out_dtype=total.dtype)
        return
    total.addmm_(slope.T, rows.to(total.dtype))


def wider(one: torch.dtype, other: torch.dtype) -> torch.dtype:
    """The precision for both: float64 where one is, else float32."""
    return torch.promote_types(torch.promote_types(one, other), torch.float32)


def _wide_products() -> bool:
    """Whether this PyTorch multiplies half precision into float32 on CUDA."""
    return hasattr(torch.ops.aten.mm, "dtype")
