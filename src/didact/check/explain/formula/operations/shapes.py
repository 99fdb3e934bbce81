"""Operations on shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from didact.check.explain.formula.arrays import (
    Array,
    EvaluationError,
    as_array,
    axis_of,
    cat,
    stack,
)
from didact.check.explain.formula.operations.registry import Axes, Tensor, operation


@operation()
def size(input: Array, dim: int | None = None) -> Any:  # noqa: A002 - PyTorch's name
    """One size, or all."""
    array = as_array(input)
    return list(array.shape) if dim is None else array.shape[axis_of(array, dim)]


@operation("numel")
def numel(input: Array) -> int:  # noqa: A002 - PyTorch's name
    """How many numbers."""
    return len(as_array(input).data)


@operation("rank")
def rank(input: Array) -> int:  # noqa: A002 - PyTorch's name
    """How many dimensions."""
    return as_array(input).rank


@operation("last")
def last(input: Any) -> Any:  # noqa: A002 - PyTorch's name
    """The last item of a list, which is what a loop over it leaves behind."""
    return index(input, -1)


@operation("length")
def length(input: Any) -> int:  # noqa: A002 - Python's len
    """Python's ``len``."""
    if isinstance(input, Array) and input.rank:
        return input.shape[0]
    if isinstance(input, list | tuple):
        return len(input)
    raise EvaluationError("no length")


def flat_sizes(sizes: tuple[Any, ...]) -> list[int]:
    """Sizes, given one by one or as a tuple."""
    listed = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
    return [int(as_array(n).data[0]) for n in listed]


@operation("view", "reshape")
def reshape(input: Array, *shape: Any) -> Array:  # noqa: A002 - PyTorch's name
    """The same numbers in another shape."""
    return as_array(input).reshape(flat_sizes(shape))


@operation("view_as", "reshape_as")
def reshape_as(input: Array, other: Array) -> Array:  # noqa: A002 - PyTorch's name
    """In the shape of another tensor."""
    return as_array(input).reshape(as_array(other).shape)


@operation()
def flatten(input: Array, start_dim: int = 0, end_dim: int = -1) -> Array:  # noqa: A002
    """Dimensions merged."""
    array = as_array(input)
    first, last = axis_of(array, start_dim), axis_of(array, end_dim)
    merged = math.prod(array.shape[first : last + 1])
    return array.reshape([*array.shape[:first], merged, *array.shape[last + 1 :]])


@operation()
def permute(input: Array, *dims: Any) -> Array:  # noqa: A002 - PyTorch's name
    """Dimensions reordered."""
    return as_array(input).permute(flat_sizes(dims))


@operation("transpose", "swapaxes")
def transpose(input: Array, dim0: int, dim1: int) -> Array:  # noqa: A002 - PyTorch's name
    """Two dimensions exchanged."""
    array = as_array(input)
    order = list(range(array.rank))
    a, b = axis_of(array, dim0), axis_of(array, dim1)
    order[a], order[b] = b, a
    return array.permute(order)


@operation("t")
def t(input: Array) -> Array:  # noqa: A002 - PyTorch's name
    """A matrix transposed."""
    return transpose(input, 0, 1) if as_array(input).rank == 2 else as_array(input)


@operation("mT")
def matrix_transposed(input: Array) -> Array:  # noqa: A002 - PyTorch's name
    """The last two dimensions exchanged."""
    return transpose(input, -1, -2)


@operation()
def unsqueeze(input: Array, dim: int) -> Array:  # noqa: A002 - PyTorch's name
    """A new dimension of size 1."""
    array = as_array(input)
    place = dim % (array.rank + 1)
    return array.reshape([*array.shape[:place], 1, *array.shape[place:]])


@operation()
def squeeze(input: Array, dim: Axes = None) -> Array:  # noqa: A002 - PyTorch's name
    """Without dimensions of size 1."""
    array = as_array(input)
    listed = range(array.rank) if dim is None else [dim] if isinstance(dim, int) else dim
    gone = {axis_of(array, a) for a in listed}
    return array.reshape([n for a, n in enumerate(array.shape) if n != 1 or a not in gone])


@operation("expand", "broadcast_to")
def expand(input: Array, *sizes: Any) -> Array:  # noqa: A002 - PyTorch's name
    """Repeated without copying."""
    array = as_array(input)
    wanted = flat_sizes(sizes)
    old = (1,) * (len(wanted) - array.rank) + array.shape
    return array.broadcast_to(tuple(o if w == -1 else w for w, o in zip(wanted, old, strict=True)))


@operation()
def expand_as(input: Array, other: Array) -> Array:  # noqa: A002 - PyTorch's name
    """Repeated to the shape of another tensor."""
    return as_array(input).broadcast_to(as_array(other).shape)


@operation("repeat")
def repeat(input: Array, *sizes: Any) -> Array:  # noqa: A002 - PyTorch's name
    """Copied along each dimension."""
    times = flat_sizes(sizes)
    array = as_array(input)
    array = array.reshape([*[1] * (len(times) - array.rank), *array.shape])
    for axis, count in enumerate(times):
        array = cat([array] * count, axis)
    return array


@operation("stack")
def stack_(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Along a new dimension."""
    return stack([as_array(a) for a in _listed(tensors)], dim)


@operation("cat", "concat", "concatenate")
def cat_(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Along a dimension that is there."""
    return cat([as_array(a) for a in _listed(tensors)], dim)


def _listed(tensors: Any) -> Sequence[Any]:
    if isinstance(tensors, list | tuple) and tensors:
        return tensors
    raise EvaluationError("not a list of tensors")


@operation("chunk")
def chunk(input: Array, chunks: int, dim: int = 0) -> list[Array]:  # noqa: A002
    """In equal parts."""
    array = as_array(input)
    axis = axis_of(array, dim)
    step = -(-array.shape[axis] // chunks)
    key: list[Any] = [slice(None)] * array.rank
    parts = []
    for start in range(0, array.shape[axis], step):
        key[axis] = slice(start, start + step)
        parts.append(array.index(tuple(key)))
    return parts


@operation("index")
def index(input: Any, key: Any) -> Any:  # noqa: A002 - PyTorch's name
    """``input[key]``."""
    if isinstance(input, list | tuple):
        if isinstance(key, Array) and key.rank == 0:
            key = key.data[0]
        if isinstance(key, slice):
            return input[key]
        if isinstance(key, int | float) and input and key >= -len(input):
            return input[int(key) % len(input)]  # a list of layers may be longer than ours
        raise EvaluationError("no such item")
    if not isinstance(input, Array):
        raise EvaluationError("not a tensor")
    parts = key if isinstance(key, tuple) else (key,)
    return input.index(tuple(as_array(p) if isinstance(p, list) else p for p in parts))


@operation("key")
def key_(*parts: Any) -> tuple[Any, ...]:
    """The parts of an index."""
    return parts


@operation("put")
def put(input: Array, key: Any, value: Tensor) -> Array:  # noqa: A002 - PyTorch's name
    """``input`` after ``input[key] = value``."""
    parts = key if isinstance(key, tuple) else (key,)
    where = tuple(as_array(p) if isinstance(p, list) else p for p in parts)
    return as_array(input).put(where, value)


@operation("fill_diagonal")
def fill_diagonal(input: Array, fill_value: float) -> Array:  # noqa: A002 - PyTorch's name
    """A matrix with the same number along its diagonal."""
    array = as_array(input)
    if array.rank != 2:
        raise EvaluationError("not a matrix")
    places = list(range(min(array.shape)))
    return put(array, (places, places), fill_value)


@operation("slice")
def slice_(start: Any, stop: Any, step: Any) -> slice:
    """A slice of an index."""
    return slice(start, stop, step)
