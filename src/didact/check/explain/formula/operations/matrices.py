"""Products and distances of matrices, and new tensors."""

from __future__ import annotations

import math
from typing import Any

from didact.check.explain.formula.arrays import (
    Array,
    EvaluationError,
    Number,
    as_array,
    elementwise,
    matmul,
)
from didact.check.explain.formula.operations.elementwise import divided
from didact.check.explain.formula.operations.reductions import mean, norm, sum_
from didact.check.explain.formula.operations.registry import OPERATIONS, Tensor, operation
from didact.check.explain.formula.operations.shapes import flat_sizes, unsqueeze


@operation("matmul", "mm", "bmm")
def matmul_(input: Tensor, mat2: Tensor) -> Array:  # noqa: A002 - PyTorch's name
    """The matrix product."""
    return matmul(as_array(input), as_array(mat2))


@operation("einsum")
def einsum(equation: str, *operands: Any) -> Array:
    """Products of the named dimensions, summed over those that the result does not name."""
    given = operands[0] if len(operands) == 1 and isinstance(operands[0], list) else operands
    tensors = [as_array(t) for t in given]
    left, arrow, kept = equation.replace(" ", "").partition("->")
    names = left.split(",")
    if not arrow or "." in left or [len(n) for n in names] != [t.rank for t in tensors]:
        raise EvaluationError(f"{equation} does not fit")
    letters = kept + "".join(sorted(set("".join(names)) - set(kept)))
    product: Array | None = None
    for name, tensor in zip(names, tensors, strict=True):
        if len(set(name)) < len(name):
            raise EvaluationError(f"{equation} takes a diagonal")
        turned = tensor.permute([name.index(c) for c in letters if c in name])
        sizes = iter(turned.shape)
        wide = turned.reshape([next(sizes) if c in name else 1 for c in letters])
        product = wide if product is None else elementwise(lambda a, b: a * b, product, wide)
    assert product is not None
    gone = list(range(len(kept), len(letters)))
    return as_array(sum_(product, gone)) if gone else product


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
    return elementwise(lambda d, a, b: divided(d, a * b), both, *lengths)


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
    number = as_array(fill_value)
    if len(number.data) != 1:
        raise EvaluationError("more than one number to fill with")
    return elementwise(lambda _: number.data[0], input)


@operation("full")
def full(size: Any, fill_value: Any) -> Array:
    """One number everywhere."""
    return full_like(zeros(size), fill_value)


@operation("zeros")
def zeros(*size: Any) -> Array:
    """Zeros."""
    shape = tuple(flat_sizes(size))
    return Array(shape, (0.0,) * math.prod(shape))


@operation("ones")
def ones(*size: Any) -> Array:
    """Ones."""
    shape = tuple(flat_sizes(size))
    return Array(shape, (1.0,) * math.prod(shape))


@operation("eye")
def eye(n: int, m: int | None = None) -> Array:
    """The unit matrix."""
    columns = n if m is None else m
    return Array((n, columns), tuple(float(i == j) for i in range(n) for j in range(columns)))


@operation("arange")
def arange(*bounds: Any) -> Array:
    """Consecutive integers."""
    data = tuple(range(*flat_sizes(bounds)))
    return Array((len(data),), data, "int")


@operation("range")
def range_(*bounds: Any) -> list[int]:
    """Python's ``range``."""
    return list(range(*flat_sizes(bounds)))


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
