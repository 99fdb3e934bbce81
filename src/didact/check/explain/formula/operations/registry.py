"""The operations by name, and how one is entered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from didact.check.explain.formula.arrays import (
    Array,
    Number,
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
