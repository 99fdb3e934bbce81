"""Softmaxes, one-hot vectors, what is picked and what is masked."""

from __future__ import annotations

from typing import Any

from didact.check.explain.formula.arrays import (
    Array,
    EvaluationError,
    Number,
    as_array,
    axis_of,
    elementwise,
)
from didact.check.explain.formula.operations.elementwise import divided, exp_of
from didact.check.explain.formula.operations.reductions import along, logsumexp_of, norm
from didact.check.explain.formula.operations.registry import OPERATIONS, Tensor, operation


@operation("softmax", "gumbel_softmax")
def softmax(input: Tensor, dim: int | None = None) -> Array:  # noqa: A002
    """The softmax; without ``dim`` PyTorch's old guess."""

    def of(row: list[Number]) -> list[Number]:
        whole = logsumexp_of(row)
        return [exp_of(v - whole) for v in row]

    return along(input, _class_axis(input, dim), of)


@operation("log_softmax")
def log_softmax(input: Tensor, dim: int | None = None) -> Array:  # noqa: A002
    """The logarithm of the softmax."""

    def of(row: list[Number]) -> list[Number]:
        whole = logsumexp_of(row)
        return [v - whole for v in row]

    return along(input, _class_axis(input, dim), of)


def _class_axis(input: Tensor, dim: int | None) -> int:  # noqa: A002 - PyTorch's name
    if dim is not None:
        return int(dim)
    return 0 if as_array(input).rank in (0, 1, 3) else 1


@operation()
def normalize(input: Tensor, p: float = 2, dim: int = 1, eps: float = 1e-12) -> Array:  # noqa: A002
    """Scaled to length 1."""
    long = elementwise(lambda v: max(v, eps), norm(input, p, dim, keepdim=True))
    return elementwise(divided, input, long)


@operation("one_hot")
def one_hot(input: Array, num_classes: int = -1) -> Array:  # noqa: A002
    """One row per label."""
    array = as_array(input)
    count = max(int(n) for n in array.data) + 1 if num_classes == -1 else int(num_classes)
    if any(not 0 <= n < count for n in array.data):
        raise EvaluationError("a label is out of range")
    data = tuple(int(n == c) for n in array.data for c in range(count))
    return Array((*array.shape, count), data, "int")


@operation("gather")
def gather(input: Array, dim: int, index: Array) -> Array:  # noqa: A002
    """Entries picked by index along a dimension."""
    return as_array(input).index(_picked(input, dim, index))


@operation("scatter")
def scatter(input: Array, dim: int, index: Array, src: Tensor = 0.0, **more: Any) -> Array:  # noqa: A002
    """Values written at given indices."""
    value = more.get("value", src)
    key = _picked(input, dim, index)
    if isinstance(value, Array) and value.rank:
        value = value.index(tuple(slice(0, n) for n in as_array(index).shape))
    return as_array(input).put(key, value)


def _picked(input: Array, dim: int, index: Array) -> tuple[Array, ...]:  # noqa: A002
    array, places = as_array(input), as_array(index)
    axis = axis_of(array, dim)
    if places.rank != array.rank:
        raise EvaluationError("the index has another number of dimensions")
    key = []
    for other, count in enumerate(places.shape):
        if other == axis:
            key.append(places)
            continue
        shape = tuple(count if a == other else 1 for a in range(places.rank))
        key.append(Array(shape, tuple(range(count)), "int").broadcast_to(places.shape))
    return tuple(key)


@operation("clamp", "clip", "clamp_min", "clamp_max")
def clamp(input: Tensor, min: Tensor | None = None, max: Tensor | None = None) -> Tensor:  # noqa: A002
    """Limited to a range."""
    result = input
    if min is not None:
        result = OPERATIONS["maximum"](result, min)
    if max is not None:
        result = OPERATIONS["minimum"](result, max)
    return result


@operation("where")
def where(condition: Tensor, input: Tensor, other: Tensor) -> Array:  # noqa: A002
    """One of two, element by element."""
    whole = all(isinstance(a, int) or getattr(a, "kind", "") == "int" for a in (input, other))
    kind = "int" if whole else "float"
    return elementwise(lambda c, a, b: a if c else b, condition, input, other, kind=kind)


@operation("masked_fill")
def masked_fill(input: Tensor, mask: Tensor, value: Tensor) -> Array:  # noqa: A002
    """A value where the mask is set."""
    return where(mask, value, input)


@operation("masked_select")
def masked_select(input: Array, mask: Array) -> Array:  # noqa: A002 - PyTorch's name
    """The entries where the mask is set."""
    array = as_array(input)
    return array.index(as_array(mask).broadcast_to(array.shape))
