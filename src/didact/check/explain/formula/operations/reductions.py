"""Reductions, sorting and sums along a dimension."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from didact.check.explain.formula.arrays import (
    Array,
    Number,
    as_array,
    axis_of,
    elementwise,
    stack,
)
from didact.check.explain.formula.operations.elementwise import divided, exp_of, power
from didact.check.explain.formula.operations.registry import OPERATIONS, Axes, Tensor, operation


def _reduced(
    values: Tensor, dim: Axes, keepdim: bool, function: Callable[[list[Number]], Number]
) -> Array:
    axes: Axes = None if dim is None or (not isinstance(dim, int) and not len(dim)) else dim
    return as_array(values).along(axes, function, keepdim=keepdim)


@operation("sum")
def sum_(input: Any, dim: Axes = None, keepdim: bool = False) -> Tensor:  # noqa: A002
    """The sum."""
    if isinstance(input, list | tuple):
        total: Tensor = 0
        for value in input:
            total = OPERATIONS["add"](total, value)
        return total
    return _reduced(input, dim, keepdim, sum)


@operation()
def mean(input: Any, dim: Axes = None, keepdim: bool = False) -> Array:  # noqa: A002
    """The mean."""
    if isinstance(input, list | tuple):
        input = stack([as_array(a) for a in input], 0)  # noqa: A001
    return _reduced(input, dim, keepdim, lambda x: sum(x) / len(x))


@operation()
def prod(input: Tensor, dim: Axes = None, keepdim: bool = False) -> Array:  # noqa: A002
    """The product."""
    return _reduced(input, dim, keepdim, math.prod)


@operation()
def var(
    input: Tensor, dim: Axes = None, unbiased: bool = True, keepdim: bool = False,  # noqa: A002
    correction: int | None = None,
) -> Array:  # fmt: skip
    """The variance."""
    less = int(unbiased) if correction is None else correction

    def of(x: list[Number]) -> float:
        middle = sum(x) / len(x)
        return divided(sum((v - middle) ** 2 for v in x), len(x) - less)

    return _reduced(input, dim, keepdim, of)


@operation()
def std(
    input: Tensor, dim: Axes = None, unbiased: bool = True, keepdim: bool = False,  # noqa: A002
    correction: int | None = None,
) -> Array:  # fmt: skip
    """The standard deviation."""
    return elementwise(math.sqrt, var(input, dim, unbiased, keepdim, correction))


@operation()
def norm(
    input: Tensor, p: Any = 2, dim: Axes = None, keepdim: bool = False,  # noqa: A002
) -> Array:  # fmt: skip
    """A p-norm."""
    degree = 2 if p in ("fro", None) else p
    return _reduced(
        input, dim, keepdim,
        lambda x: max(map(abs, x)) if degree == math.inf
        else power(sum(abs(v) ** degree for v in x), 1 / degree),
    )  # fmt: skip


@operation()
def logsumexp(input: Tensor, dim: Axes, keepdim: bool = False) -> Array:  # noqa: A002
    """Log Σ exp."""
    return _reduced(input, dim, keepdim, logsumexp_of)


def logsumexp_of(x: list[Number]) -> float:
    """The logarithm of a sum of exponentials of a row."""
    top = max(x)
    return top + math.log(sum(exp_of(v - top) for v in x))


def _extreme(choose: Callable[..., Number]) -> Callable[..., Any]:
    def apply(
        input: Tensor,  # noqa: A002 - PyTorch's name
        dim: Any = None,
        keepdim: bool = False,
    ) -> Any:
        if isinstance(dim, Array):
            return OPERATIONS["maximum" if choose is max else "minimum"](input, dim)
        if dim is None:
            return _reduced(input, None, keepdim, choose)
        values = _reduced(input, dim, keepdim, choose)
        places = as_array(input).along(
            dim, lambda x: x.index(choose(x)), keepdim=keepdim, kind="int"
        )
        return [values, places]

    return apply


OPERATIONS["max"] = _extreme(max)
OPERATIONS["min"] = _extreme(min)


@operation("amin")
def amin(input: Tensor, dim: Axes = None, keepdim: bool = False) -> Array:  # noqa: A002
    """The smallest."""
    return _reduced(input, dim, keepdim, min)


@operation("amax")
def amax(input: Tensor, dim: Axes = None, keepdim: bool = False) -> Array:  # noqa: A002
    """The largest."""
    return _reduced(input, dim, keepdim, max)


@operation("argmax")
def argmax(input: Tensor, dim: Axes = None, keepdim: bool = False) -> Array:  # noqa: A002
    """Where the largest is."""
    return as_array(input).along(
        None if dim is None else dim, lambda x: x.index(max(x)), keepdim=keepdim, kind="int"
    )


def along(input: Tensor, dim: int, function: Callable[[list[Number]], list[Number]]) -> Array:  # noqa: A002
    """A function of every row along a dimension."""
    array = as_array(input)
    axis = axis_of(array, dim)
    order = [*(a for a in range(array.rank) if a != axis), axis]
    moved = array.permute(order)
    n = array.shape[axis] if array.rank else 1
    rows = [function(list(moved.data[i : i + n])) for i in range(0, len(moved.data), n or 1)]
    shape = (*moved.shape[:-1], len(rows[0]) if rows else n)
    back = sorted(range(len(order)), key=order.__getitem__)
    return Array(shape, tuple(v for row in rows for v in row)).permute(back)


@operation()
def cumsum(input: Tensor, dim: int) -> Array:  # noqa: A002 - PyTorch's name
    """Sums so far."""

    def of(row: list[Number]) -> list[Number]:
        total: Number = 0
        result = []
        for value in row:
            total += value
            result.append(total)
        return result

    return along(input, dim, of)


@operation("sort")
def sort(input: Tensor, dim: int = -1, descending: bool = False) -> list[Array]:  # noqa: A002
    """Sorted, with the order."""
    places = argsort(input, dim, descending)
    return [along(input, dim, lambda r: sorted(r, reverse=descending)), places]


@operation("argsort")
def argsort(input: Tensor, dim: int = -1, descending: bool = False) -> Array:  # noqa: A002
    """The order that sorts."""
    ranked = along(
        input, dim,
        lambda r: sorted(range(len(r)), key=lambda i: -r[int(i)] if descending else r[int(i)]),
    )  # fmt: skip
    return Array(ranked.shape, ranked.data, "int")


@operation("topk")
def topk(input: Tensor, k: int, dim: int = -1) -> list[Array]:  # noqa: A002 - PyTorch's name
    """The largest k."""
    array = as_array(input)
    axis = axis_of(array, dim)
    key: list[Any] = [slice(None)] * array.rank
    key[axis] = slice(0, k)
    return [part.index(tuple(key)) for part in sort(array, axis, True)]
