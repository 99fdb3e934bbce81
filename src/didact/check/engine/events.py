"""What the interpreter reports to the rules: losses, model calls, softmaxes, logs, sums."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from didact.check.engine.scale import ONE, Scale
from didact.check.engine.values import UNKNOWN, Value


@dataclass(frozen=True, slots=True)
class Scope:
    """The function in which something happens.

    Attributes:
        node: The function, or the module.
        owner: The class around it, if any.
        depth: 0 when analysed for itself, more when entered from a call.
        calls: The calls through which it was entered, the outermost first.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Module | ast.Lambda
    owner: ast.ClassDef | None = None
    depth: int = 0
    calls: tuple[ast.Call, ...] = ()

    @property
    def name(self) -> str:
        """The function's name, empty for the module."""
        return getattr(self.node, "name", "")


@dataclass(frozen=True, slots=True, eq=False)
class LossUse:
    """One loss that is computed somewhere.

    Attributes:
        node: The call, or the product of a loss written by hand.
        kind: ``"kl_div"``, ``"cross_entropy"``, ``"nll"``, ``"bce"``, ``"bce_logits"``, ``"mse"``,
            ``"cosine"``, ``"soft_cross_entropy"`` (by hand: sum of p log q), ``"kl_by_hand"``,
            ``"other"``.
        input: The first argument (the prediction).
        target: The second argument.
        input_node: Its expression, if there is one.
        target_node: Its expression, if there is one.
        reduction: ``"mean"``, ``"sum"``, ``"batchmean"``, ``"none"``; ``None`` if not known.
        log_target: ``kl_div``'s flag; ``None`` if not known.
        criterion: The constructor call, when the loss is an object.
        arguments: The keyword arguments of the call or the constructor, by name.
        scope: Where it happens.
    """

    node: ast.expr
    kind: str
    input: Value
    target: Value
    input_node: ast.expr | None
    target_node: ast.expr | None
    reduction: str | None
    log_target: bool | None
    scope: Scope
    criterion: ast.Call | None = None
    arguments: dict[str, ast.expr] = field(default_factory=dict)
    label_smoothing: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether the loss is written out instead of called."""
        return self.kind in ("soft_cross_entropy", "kl_by_hand")

    @property
    def is_hard(self) -> bool:
        """Whether the target is the true label."""
        from didact.check.engine.spaces import Role, Space

        if self.kind == "nll":
            return True
        if self.kind not in ("cross_entropy", "bce", "bce_logits"):
            return False
        normal = self.target.space in (Space.LABELS, Space.ONE_HOT, Space.UNKNOWN, Space.SCALAR)
        return normal and self.target.role is not Role.TEACHER


@dataclass(frozen=True, slots=True)
class Reduction:
    """One step from many numbers to fewer: ``sum`` or ``mean``, over a dimension or all."""

    kind: str
    dim: int | None
    node: ast.expr | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Term:
    """A loss inside a sum: with its factor, its sign and the reductions so far."""

    use: LossUse
    scale: Scale = ONE
    reductions: tuple[Reduction, ...] = ()
    cut: bool = False
    """The graph was cut after the loss was computed (``.item()``, ``.data``, ``.detach()``)."""

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for the same loss with the same factor."""
        return (id(self.use.node), self.scale, self.cut, len(self.reductions))


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
    ``"backward"``, ``"statement"`` (a value thrown away), ``"assign"``.
    """

    kind: str
    node: ast.AST
    base: Value = UNKNOWN
    other: Value = UNKNOWN
    result: Value = UNKNOWN
    scope: Scope = field(default_factory=lambda: Scope(ast.Module([], [])))
    name: str = ""
