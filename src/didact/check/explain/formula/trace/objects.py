"""What a name may stand for besides a node of the formula."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from didact.check.explain.formula.tree import (
    Constant,
    Node,
)

Function = ast.FunctionDef | ast.AsyncFunctionDef
Value = Any
"""A node of the formula, or one of the objects below."""
NONE = Constant(None)


@dataclass(slots=True)
class Scope:
    """Names of one function, over those around it."""

    names: dict[str, Value] = field(default_factory=dict)
    outer: Scope | None = None

    def get(self, name: str) -> Value | None:
        """A name's value, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None

    def copy(self) -> Scope:
        """The same names, for one branch."""
        return Scope(dict(self.names), self.outer)


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """A module or function of a library, by its dotted name."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """A function of the code, with what it sees."""

    node: Function | ast.Lambda
    scope: Scope
    owner: Instance | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """An object of a class of the code."""

    node: ast.ClassDef
    attributes: dict[str, Value]
    name: str = "self"


@dataclass(frozen=True, slots=True, eq=False)
class ClassValue:
    """A class of the code."""

    node: ast.ClassDef
    scope: Scope


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A value that the code returns, backpropagates or leaves behind: perhaps its loss."""

    node: ast.AST
    value: Node
    how: str
    """``"backward"``, ``"return"`` or ``"assign"``."""
    name: str
    owner: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One of two functions or objects, by a condition."""

    text: str
    test: Node | None
    then: Value
    other: Value


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A dictionary with texts as keys: ``{"ce": a, "kd": b}``."""

    items: dict[str, Value]


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """A function with some arguments fixed."""

    function: Value
    args: tuple[Value, ...]
    keywords: dict[str, Value]


class TooMuchError(Exception):
    """There is too much to follow."""


RAISED = object()
