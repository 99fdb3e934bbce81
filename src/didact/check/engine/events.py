"""What the interpreter reports to the rules: losses, model calls, softmaxes, logs, sums."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from didact.check.engine.values import UNKNOWN, LossUse, Reduction, Scope, Term, Value

__all__ = [
    "Forward",
    "Log",
    "LossUse",
    "Operation",
    "Reduction",
    "Scope",
    "Softmax",
    "Term",
    "Total",
]


@dataclass(frozen=True, slots=True)
class Total:
    """A loss value that a statement assigns, returns or backpropagates."""

    node: ast.AST
    value: Value
    scope: Scope
    how: str
    """``"assign"``, ``"return"`` or ``"backward"``."""


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """One call of a model."""

    key: int
    node: ast.Call
    model: str
    """The source text of what is called."""
    value: Value
    under_no_grad: bool
    scope: Scope
    inputs: frozenset[int] = frozenset()
    """The model calls in whose graph its arguments are."""
    takes_student: bool = False
    """Something of the student's is among its arguments."""


@dataclass(frozen=True, slots=True, eq=False)
class Softmax:
    """One softmax, log_softmax or sigmoid."""

    node: ast.Call
    kind: str
    argument: Value
    argument_node: ast.expr | None
    dim_node: ast.expr | None
    dim: int | None
    dim_known: bool
    """Whether a dimension is given at all."""
    result: Value
    scope: Scope
    layer: ast.Call | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """One logarithm."""

    node: ast.Call
    argument: Value
    argument_node: ast.expr | None
    guarded: bool
    """An epsilon or a clamp keeps it from zero."""
    scope: Scope


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """Any other thing that rules ask for, told apart by ``kind``.

    Kinds: ``"store"`` (a slice assigned into ``base``), ``"divide"``, ``"multiply"``, ``"add"``,
    ``"power"``, ``"compare"``, ``"slice"``, ``"clamp"``, ``"abs"``, ``"argmax"``, ``"reduce"``,
    ``"backward"``, ``"copy"`` (``torch.tensor`` of a loss), ``"where"`` (a choice between
    losses), ``"statement"`` (a value thrown away), ``"assign"``.
    """

    kind: str
    node: ast.AST
    base: Value = UNKNOWN
    other: Value = UNKNOWN
    result: Value = UNKNOWN
    scope: Scope = field(default_factory=lambda: Scope(ast.Module([], [])))
    name: str = ""
