"""Operations on each element."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from didact.check.explain.formula.arrays import (
    Array,
    EvaluationError,
    Number,
    as_array,
    elementwise,
)
from didact.check.explain.formula.operations.registry import OPERATIONS, Tensor, operation


def power(base: Number, exponent: Number) -> Number:
    """A power; NaN where it is not real, infinity where it overflows."""
    try:
        result = base**exponent
    except (ZeroDivisionError, OverflowError):
        return math.inf
    return math.nan if isinstance(result, complex) else result


def divided(left: Number, right: Number) -> Number:
    """A quotient as floats have it: infinity or NaN where the divisor is zero."""
    if right == 0:
        return math.nan if left == 0 or left != left else math.copysign(math.inf, left)
    return left / right


def log_of(x: Number) -> float:
    """The logarithm; minus infinity of zero, NaN below."""
    return math.log(x) if x > 0 else (-math.inf if x == 0 else math.nan)


def exp_of(x: Number) -> float:
    """The exponential, kept finite."""
    return math.exp(min(x, 700.0))


def _sigmoid(x: Number) -> float:
    return 1 / (1 + exp_of(-x))


def softplus_of(x: Number) -> float:
    """``log(1 + exp(x))`` without overflow."""
    return max(x, 0.0) + math.log1p(exp_of(-abs(x)))


def smooth_of(x: Number, beta: Number) -> float:
    """Huber's function over ``beta``."""
    return 0.5 * x * x / beta if abs(x) < beta else abs(x) - 0.5 * beta


_UNARY: dict[str, Callable[[Number], Number]] = {
    "neg": lambda x: -x,
    "exp": exp_of,
    "log": log_of,
    "log2": lambda x: log_of(x) / math.log(2),
    "log1p": lambda x: log_of(1 + x),
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "rsqrt": lambda x: divided(1.0, math.sqrt(x)) if x >= 0 else math.nan,
    "abs": abs,
    "square": lambda x: x * x,
    "sigmoid": _sigmoid,
    "logsigmoid": lambda x: -softplus_of(-x),
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0),
    "sign": lambda x: (x > 0) - (x < 0),
    "reciprocal": lambda x: divided(1.0, x),
    "arccos": lambda x: math.acos(max(-1.0, min(1.0, x))),
    "sin": math.sin,
    "cos": math.cos,
}
_BINARY: dict[str, Callable[[Number, Number], Number]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": divided,
    "floordiv": lambda a, b: a // b if b else math.nan,
    "mod": lambda a, b: a % b if b else math.nan,
    "pow": power,
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
            kind = "int" if whole and function is not divided else "float"
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
