"""The operations of PyTorch that losses are made of, on small arrays, with PyTorch's signatures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from didact.check.explain.formula.arrays import (
    Array,
    EvaluationError,
    Number,
    as_array,
    axis_of,
    cat,
    elementwise,
    matmul,
    stack,
)

Tensor = Array | Number
Axes = int | Sequence[int] | None
Function = TypeVar("Function", bound=Callable[..., Any])
OPERATIONS: dict[str, Callable[..., Any]] = {}
"""By name; methods of tensors have the same names."""


def operation(*names: str) -> Callable[[Function], Function]:
    """Enter a function under its own name, or under these."""

    def enter(function: Function) -> Function:
        for name in names or (function.__name__.rstrip("_"),):
            OPERATIONS[name] = function
        return function

    return enter


def _pow(base: Number, exponent: Number) -> Number:
    try:
        result = base**exponent
    except (ZeroDivisionError, OverflowError):
        return math.inf
    return math.nan if isinstance(result, complex) else result


def _div(left: Number, right: Number) -> Number:
    if right == 0:
        return math.nan if left == 0 or left != left else math.copysign(math.inf, left)
    return left / right


def _log(x: Number) -> float:
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def _exp(x: Number) -> float:
    return math.exp(min(x, 700.0))


def _sigmoid(x: Number) -> float:
    return 1 / (1 + _exp(-x))


def _softplus(x: Number) -> float:
    return max(x, 0.0) + math.log1p(_exp(-abs(x)))


def _smooth(x: Number, beta: Number) -> float:
    return 0.5 * x * x / beta if abs(x) < beta else abs(x) - 0.5 * beta


_UNARY: dict[str, Callable[[Number], Number]] = {
    "neg": lambda x: -x,
    "exp": _exp,
    "log": _log,
    "log2": lambda x: _log(x) / math.log(2),
    "log1p": lambda x: _log(1 + x),
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "rsqrt": lambda x: _div(1.0, math.sqrt(x)) if x >= 0 else math.nan,
    "abs": abs,
    "square": lambda x: x * x,
    "sigmoid": _sigmoid,
    "logsigmoid": lambda x: -_softplus(-x),
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0),
    "sign": lambda x: (x > 0) - (x < 0),
    "reciprocal": lambda x: _div(1.0, x),
    "arccos": lambda x: math.acos(max(-1.0, min(1.0, x))),
    "sin": math.sin,
    "cos": math.cos,
}
_BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": _div,
    "floordiv": lambda a, b: a // b if b else math.nan,
    "mod": lambda a, b: a % b if b else math.nan,
    "pow": _pow,
    "maximum": max,
    "minimum": min,
}
_COMPARE: dict[str, Callable[[Number, Number], bool]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "logical_and": lambda a, b: bool(a) and bool(b),
    "logical_or": lambda a, b: bool(a) or bool(b),
}


def _unary(function: Callable[[Number], Number]) -> Callable[..., Any]:
    def apply(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        if isinstance(input, Array):
            kind = input.kind if function in (abs, _UNARY["neg"]) else "float"
            return elementwise(function, input, kind=kind)
        return function(_number(input))

    return apply


def _binary(function: Callable[[Number, Number], Number]) -> Callable[..., Any]:
    def apply(input: Tensor, other: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        if isinstance(input, Array) or isinstance(other, Array):
            whole = all(as_array(x).kind in {"int", "bool"} for x in (input, other))
            kind = "int" if whole and function is not _div else "float"
            return elementwise(function, input, other, kind=kind)
        return function(_number(input), _number(other))

    return apply


def _comparison(function: Callable[[Number, Number], bool]) -> Callable[..., Any]:
    def apply(input: Tensor, other: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
        if isinstance(input, Array) or isinstance(other, Array):
            return elementwise(function, input, other, kind="bool")
        return function(input, other)

    return apply


def _number(value: object) -> Number:
    if isinstance(value, int | float):
        return value
    raise EvaluationError(f"{type(value).__name__} is no number")


OPERATIONS.update({name: _unary(f) for name, f in _UNARY.items()})
OPERATIONS.update({name: _binary(f) for name, f in _BINARY.items()})
OPERATIONS.update({name: _comparison(f) for name, f in _COMPARE.items()})


@operation("logical_not", "invert")
def logical_not(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
    """Not, element by element."""
    return elementwise(lambda x: not x, input, kind="bool")


@operation()
def identity(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
    """The same numbers."""
    return input


@operation()
def detach(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
    """The same numbers, outside the graph."""
    return input


@operation()
def item(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
    """One number, outside the graph."""
    if isinstance(input, Array) and len(input.data) != 1:
        raise EvaluationError("item() needs one number")
    return input


@operation("floating")
def floating(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
    """As floating-point numbers."""
    return elementwise(float, input)


@operation("integers")
def integers(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
    """As whole numbers."""
    return elementwise(int, input, kind="int")


@operation("isinf")
def isinf(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
    """Where a number is infinite."""
    return elementwise(math.isinf, input, kind="bool")


@operation("isnan")
def isnan(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
    """Where a number is none."""
    return elementwise(math.isnan, input, kind="bool")


@operation("booleans")
def booleans(input: Tensor) -> Tensor:  # noqa: A002 - PyTorch's name
    """As truth values."""
    return elementwise(bool, input, kind="bool")


# Shapes


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


@operation("length")
def length(input: Any) -> int:  # noqa: A002 - Python's len
    """Python's ``len``."""
    if isinstance(input, Array) and input.rank:
        return input.shape[0]
    if isinstance(input, list | tuple):
        return len(input)
    raise EvaluationError("no length")


def _flat(sizes: tuple[Any, ...]) -> list[int]:
    listed = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], list | tuple) else sizes
    return [int(as_array(n).data[0]) for n in listed]


@operation("view", "reshape")
def reshape(input: Array, *shape: Any) -> Array:  # noqa: A002 - PyTorch's name
    """The same numbers in another shape."""
    return as_array(input).reshape(_flat(shape))


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
    return as_array(input).permute(_flat(dims))


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
    wanted = _flat(sizes)
    old = (1,) * (len(wanted) - array.rank) + array.shape
    return array.broadcast_to(tuple(o if w == -1 else w for w, o in zip(wanted, old, strict=True)))


@operation()
def expand_as(input: Array, other: Array) -> Array:  # noqa: A002 - PyTorch's name
    """Repeated to the shape of another tensor."""
    return as_array(input).broadcast_to(as_array(other).shape)


@operation("repeat")
def repeat(input: Array, *sizes: Any) -> Array:  # noqa: A002 - PyTorch's name
    """Copied along each dimension."""
    times = _flat(sizes)
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
        if isinstance(key, int | float) and -len(input) <= key < len(input):
            return input[int(key)]
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


# Reductions


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
        return _div(sum((v - middle) ** 2 for v in x), len(x) - less)

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
    power = 2 if p in ("fro", None) else p
    return _reduced(
        input, dim, keepdim,
        lambda x: max(map(abs, x)) if power == math.inf
        else _pow(sum(abs(v) ** power for v in x), 1 / power),
    )  # fmt: skip


@operation()
def logsumexp(input: Tensor, dim: Axes, keepdim: bool = False) -> Array:  # noqa: A002
    """Log Σ exp."""
    return _reduced(input, dim, keepdim, _logsumexp)


def _logsumexp(x: list[Number]) -> float:
    top = max(x)
    return top + math.log(sum(_exp(v - top) for v in x))


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


def _along(input: Tensor, dim: int, function: Callable[[list[Number]], list[Number]]) -> Array:  # noqa: A002
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

    return _along(input, dim, of)


@operation("sort")
def sort(input: Tensor, dim: int = -1, descending: bool = False) -> list[Array]:  # noqa: A002
    """Sorted, with the order."""
    places = argsort(input, dim, descending)
    return [_along(input, dim, lambda r: sorted(r, reverse=descending)), places]


@operation("argsort")
def argsort(input: Tensor, dim: int = -1, descending: bool = False) -> Array:  # noqa: A002
    """The order that sorts."""
    ranked = _along(
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


# Distributions


@operation("softmax", "gumbel_softmax")
def softmax(input: Tensor, dim: int | None = None) -> Array:  # noqa: A002
    """The softmax; without ``dim`` PyTorch's old guess."""

    def of(row: list[Number]) -> list[Number]:
        whole = _logsumexp(row)
        return [_exp(v - whole) for v in row]

    return _along(input, _class_axis(input, dim), of)


@operation("log_softmax")
def log_softmax(input: Tensor, dim: int | None = None) -> Array:  # noqa: A002
    """The logarithm of the softmax."""

    def of(row: list[Number]) -> list[Number]:
        whole = _logsumexp(row)
        return [v - whole for v in row]

    return _along(input, _class_axis(input, dim), of)


def _class_axis(input: Tensor, dim: int | None) -> int:  # noqa: A002 - PyTorch's name
    if dim is not None:
        return int(dim)
    return 0 if as_array(input).rank in (0, 1, 3) else 1


@operation()
def normalize(input: Tensor, p: float = 2, dim: int = 1, eps: float = 1e-12) -> Array:  # noqa: A002
    """Scaled to length 1."""
    long = elementwise(lambda v: max(v, eps), norm(input, p, dim, keepdim=True))
    return elementwise(_div, input, long)


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
    return elementwise(lambda c, a, b: a if c else b, condition, input, other)


@operation("masked_fill")
def masked_fill(input: Tensor, mask: Tensor, value: Tensor) -> Array:  # noqa: A002
    """A value where the mask is set."""
    return where(mask, value, input)


@operation("masked_select")
def masked_select(input: Array, mask: Array) -> Array:  # noqa: A002 - PyTorch's name
    """The entries where the mask is set."""
    return as_array(input).index(mask)


@operation("matmul", "mm", "bmm")
def matmul_(input: Tensor, mat2: Tensor) -> Array:  # noqa: A002 - PyTorch's name
    """The matrix product."""
    return matmul(as_array(input), as_array(mat2))


@operation("cdist")
def cdist(x1: Array, x2: Array, p: float = 2.0) -> Array:
    """The distances of all pairs of rows."""
    left, right = as_array(x1), as_array(x2)
    apart = elementwise(lambda a, b: a - b, unsqueeze(left, -2), unsqueeze(right, -3))
    return norm(apart, p, -1)


@operation("cosine_similarity")
def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    """The cosine of the angle."""
    both = sum_(elementwise(lambda a, b: a * b, x1, x2), dim)
    lengths = [elementwise(lambda v: max(v, eps), norm(x, 2, dim)) for x in (x1, x2)]
    return elementwise(lambda d, a, b: _div(d, a * b), both, *lengths)


@operation("pairwise_distance")
def pairwise_distance(
    x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Array:
    """Row by row."""
    return norm(elementwise(lambda a, b: a - b + eps, x1, x2), p, -1, keepdim)


@operation("zeros_like")
def zeros_like(input: Array) -> Array:  # noqa: A002 - PyTorch's name
    """Zeros."""
    return elementwise(lambda _: 0.0, input)


@operation("ones_like")
def ones_like(input: Array) -> Array:  # noqa: A002 - PyTorch's name
    """Ones."""
    return elementwise(lambda _: 1.0, input)


@operation("full_like")
def full_like(input: Array, fill_value: Number) -> Array:  # noqa: A002 - PyTorch's name
    """One number everywhere."""
    return elementwise(lambda _: fill_value, input)


@operation("zeros")
def zeros(*size: Any) -> Array:
    """Zeros."""
    shape = tuple(_flat(size))
    return Array(shape, (0.0,) * math.prod(shape))


@operation("ones")
def ones(*size: Any) -> Array:
    """Ones."""
    shape = tuple(_flat(size))
    return Array(shape, (1.0,) * math.prod(shape))


@operation("eye")
def eye(n: int, m: int | None = None) -> Array:
    """The unit matrix."""
    columns = n if m is None else m
    return Array((n, columns), tuple(float(i == j) for i in range(n) for j in range(columns)))


@operation("arange")
def arange(*bounds: Any) -> Array:
    """Consecutive integers."""
    data = tuple(range(*_flat(bounds)))
    return Array((len(data),), data, "int")


@operation("range")
def range_(*bounds: Any) -> list[int]:
    """Python's ``range``."""
    return list(range(*_flat(bounds)))


@operation("tensor")
def tensor(data: Any) -> Array:
    """A new tensor."""
    return as_array(data)


@operation("triu", "tril")
def triu(input: Array, diagonal: int = 0) -> Array:  # noqa: A002 - PyTorch's name
    """The upper triangle."""
    rows, columns = as_array(input).shape[-2:]
    keep = Array(
        (rows, columns),
        tuple(float(j - i >= diagonal) for i in range(rows) for j in range(columns)),
    )
    return OPERATIONS["mul"](input, keep)  # type: ignore[no-any-return]


del OPERATIONS["tril"]


@operation("diagonal", "diag")
def diagonal(input: Array) -> Array:  # noqa: A002 - PyTorch's name
    """The diagonal of a matrix."""
    array = as_array(input)
    if array.rank != 2:
        raise EvaluationError("not a matrix")
    n = min(array.shape)
    return Array((n,), tuple(array.data[i * array.shape[1] + i] for i in range(n)))


@operation("adaptive_avg_pool2d")
def adaptive_avg_pool2d(input: Array, output_size: Any) -> Array:  # noqa: A002
    """The mean over the area; other sizes are not computed here."""
    if output_size not in (1, [1, 1], (1, 1)):
        raise EvaluationError("pooling to more than one place")
    return mean(input, (-2, -1), keepdim=True)


# Losses


def _finish(losses: Array, reduction: Any, batch: int | None = None) -> Array:
    if reduction == "none":
        return losses
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return as_array(sum_(losses))
    if reduction == "batchmean" and batch:
        return elementwise(_div, sum_(losses), batch)
    raise EvaluationError(f"reduction {reduction!r}")


def _legacy(size_average: Any, reduce: Any, reduction: str) -> str:
    if size_average is None and reduce is None:
        return reduction
    if reduce is not None and not reduce:
        return "none"
    return "mean" if size_average is None or size_average else "sum"


def _xlogx(p: Number) -> float:
    return 0.0 if p == 0 else p * _log(p)


@operation()
def kl_div(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None,  # noqa: A002
    reduction: str = "mean", log_target: bool = False,
) -> Array:  # fmt: skip
    """Σ P·(log P − log Q), element by element."""
    if log_target:
        losses = elementwise(lambda q, p: _exp(p) * (p - q), input, target)
    else:
        losses = elementwise(lambda q, p: _xlogx(p) - (p * q if p else 0.0), input, target)
    first = as_array(input)
    return _finish(
        losses, _legacy(size_average, reduce, reduction), first.shape[0] if first.rank else 1
    )


@operation("cross_entropy")
def cross_entropy(
    input: Array, target: Array, weight: Any = None, size_average: Any = None,  # noqa: A002
    ignore_index: Any = -100, reduce: Any = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:  # fmt: skip
    """−log softmax(input)[target], or −Σ target·log softmax(input)."""
    array = as_array(input)
    return nll_loss(
        log_softmax(array, 0 if array.rank == 1 else 1), target, weight, size_average,
        ignore_index, reduce, reduction, label_smoothing,
    )  # fmt: skip


@operation("nll_loss")
def nll_loss(
    input: Array, target: Array, weight: Any = None, size_average: Any = None,  # noqa: A002
    ignore_index: Any = -100, reduce: Any = None, reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Array:  # fmt: skip
    """−input[target]."""
    if weight is not None:
        raise EvaluationError("class weights")
    reduction = _legacy(size_average, reduce, reduction)
    array, wanted = as_array(input), as_array(target)
    axis = 0 if array.rank == 1 else 1
    classes = array.shape[axis]
    if wanted.shape == array.shape and wanted.kind == "float":
        if label_smoothing:
            s = label_smoothing
            wanted = elementwise(lambda p: (1 - s) * p + s / classes, wanted)
        rows = sum_(elementwise(lambda q, p: -p * q if p else 0.0, array, wanted), axis)
        return _finish(as_array(rows), reduction)
    order = [*(a for a in range(array.rank) if a != axis), axis]
    moved = array.permute(order).reshape((-1, classes))
    if wanted.shape != tuple(n for a, n in enumerate(array.shape) if a != axis):
        raise EvaluationError(f"labels {wanted.shape} do not fit {array.shape}")
    if wanted.kind == "float":
        raise EvaluationError("labels must be whole numbers")
    losses, kept = [], 0
    for row, label in enumerate(wanted.data):
        if label == ignore_index:
            losses.append(0.0)
            continue
        if not 0 <= label < classes:
            raise EvaluationError("a label is out of range")
        kept += 1
        scores = moved.data[row * classes : (row + 1) * classes]
        smooth = -sum(scores) / classes
        losses.append(-(1 - label_smoothing) * scores[int(label)] + label_smoothing * smooth)
    if reduction == "mean":
        return as_array(_div(float(sum(losses)), kept))
    return _finish(Array(wanted.shape, tuple(losses)), reduction)


@operation("binary_cross_entropy")
def binary_cross_entropy(
    input: Array, target: Array, weight: Any = None, size_average: Any = None,  # noqa: A002
    reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """−t·log p − (1−t)·log(1−p), element by element."""
    if weight is not None:
        raise EvaluationError("weights")
    if any(not 0 <= p <= 1 for p in as_array(input).data):
        raise EvaluationError("binary_cross_entropy needs probabilities")
    losses = elementwise(
        lambda p, t: -t * max(_log(p), -100.0) - (1 - t) * max(_log(1 - p), -100.0), input, target
    )
    return _finish(losses, _legacy(size_average, reduce, reduction))


@operation("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    input: Array, target: Array, weight: Any = None, size_average: Any = None,  # noqa: A002
    reduce: Any = None, reduction: str = "mean", pos_weight: Any = None,
) -> Array:  # fmt: skip
    """The same of sigmoid(input)."""
    if weight is not None or pos_weight is not None:
        raise EvaluationError("weights")
    if as_array(input).shape != as_array(target).shape:
        raise EvaluationError("shapes differ")
    losses = elementwise(lambda z, t: _softplus(z) - z * t, input, target)
    return _finish(losses, _legacy(size_average, reduce, reduction))


def _regression(function: Callable[[Number], Number]) -> Callable[..., Array]:
    def apply(
        input: Array, target: Array, size_average: Any = None, reduce: Any = None,  # noqa: A002
        reduction: str = "mean",
    ) -> Array:  # fmt: skip
        losses = elementwise(lambda a, b: function(a - b), input, target)
        return _finish(losses, _legacy(size_average, reduce, reduction))

    return apply


OPERATIONS["mse_loss"] = _regression(lambda d: d * d)
OPERATIONS["l1_loss"] = _regression(abs)


@operation("smooth_l1_loss")
def smooth_l1_loss(
    input: Array, target: Array, size_average: Any = None, reduce: Any = None,  # noqa: A002
    reduction: str = "mean", beta: float = 1.0,
) -> Array:  # fmt: skip
    """Squared near 0, absolute beyond beta."""
    losses = elementwise(lambda a, b: _smooth(a - b, beta), input, target)
    return _finish(losses, _legacy(size_average, reduce, reduction))


@operation("huber_loss")
def huber_loss(
    input: Array, target: Array, reduction: str = "mean", weight: Any = None,  # noqa: A002
    delta: float = 1.0,
) -> Array:  # fmt: skip
    """Delta times the smooth absolute difference."""
    if weight is not None:
        raise EvaluationError("weights")
    return _finish(
        elementwise(lambda a, b: delta * _smooth(a - b, delta), input, target), reduction
    )


@operation("cosine_embedding_loss")
def cosine_embedding_loss(
    input1: Array, input2: Array, target: Array, margin: float = 0.0,
    size_average: Any = None, reduce: Any = None, reduction: str = "mean",
) -> Array:  # fmt: skip
    """1 − cos where the target is 1."""
    cosine = cosine_similarity(input1, input2, -1)
    losses = elementwise(lambda c, y: 1 - c if y == 1 else max(0.0, c - margin), cosine, target)
    return _finish(losses, _legacy(size_average, reduce, reduction))
