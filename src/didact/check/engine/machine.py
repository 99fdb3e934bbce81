"""The interpreter's state: the frames, the budget, and the events that rules will read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from didact.check.engine.events import (
    Forward,
    Log,
    LossUse,
    Operation,
    Scope,
    Softmax,
    Term,
    Total,
)
from didact.check.engine.index import ClassInfo, Function, Index
from didact.check.engine.rank_hints import Hints
from didact.check.engine.values import UNKNOWN, Callee, Record, Value

MAX_DEPTH = 3
"""How many calls deep a function of the project is entered."""
MAX_STEPS = 60_000
"""Statements and expressions that one entry from the outside may take, calls included."""
MAX_FORMS = 64
"""So many forms of one loss are kept: a loop that rescales it makes a new one on each round."""


@dataclass(frozen=True, slots=True)
class Path(Callee):
    """A dotted import path: ``torch.nn.functional.kl_div``."""

    dotted: str


@dataclass(frozen=True, slots=True, eq=False)
class Routine(Callee):
    """A function of this file or another, perhaps bound to an instance.

    Attributes:
        node: The function.
        home: The file that defines it.
        owner: The class of the instance it is bound to, or its own.
        bound: Whether it is bound.
    """

    node: Function | ast.Lambda
    home: Index
    owner: ClassInfo | None = None
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of this file."""

    info: ClassInfo


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of this file."""

    info: ClassInfo


@dataclass(frozen=True, slots=True)
class Criterion(Callee):
    """A loss object, e.g. ``nn.KLDivLoss(reduction="batchmean")``."""

    kind: str
    call: ast.Call


@dataclass(frozen=True, slots=True)
class Layer(Callee):
    """A layer object, e.g. ``nn.Softmax(dim=1)``."""

    kind: str
    call: ast.Call


@dataclass(frozen=True, slots=True, eq=False)
class Partial(Callee):
    """``functools.partial(function, ...)``: the function, the call that made it, what it fixes."""

    function: Value
    call: ast.Call
    arguments: list[Value]
    keywords: dict[str, Value]


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A model that scores a vocabulary at every position: its logits are [B, S, V]."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A model that is run for its predictions alone: what it gives has no graph."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A method of a value: ``x.softmax``."""

    base: Value
    base_node: ast.expr
    name: str
    layer: ast.expr | None = None
    """What made it, where it is a layer that is kept as an attribute."""


@dataclass(frozen=True, slots=True)
class LogRatio:
    """``log p - log q`` of two distributions."""

    upper: Value
    lower: Value


@dataclass(slots=True)
class Frame:
    """One running function."""

    scope: Scope
    index: Index
    """The file whose names count in it."""
    env: dict[str, Value] = field(default_factory=dict)
    returns: list[Value] = field(default_factory=list)
    hints: Hints = field(default_factory=dict)
    """What the function's text tells about ranks."""
    owner: ClassInfo | None = None
    no_grad: bool = False
    alive: bool = True


Handlers = Mapping[type[ast.AST], Callable[["Machine", Any], Any]]
"""What runs each kind of statement and evaluates each kind of expression."""


@dataclass(slots=True, eq=False)
class Machine:
    """Everything the interpreter carries along."""

    own: Index
    """The file that is analysed."""
    handlers: Handlers
    thorough: bool = False
    frames: list[Frame] = field(default_factory=list)
    context: tuple[int, ...] = ()
    steps: int = 0
    values: dict[int, Value] = field(default_factory=dict)
    """What each expression is where its function is run for itself, else in its first call."""
    latest: dict[int, Value] = field(default_factory=dict)
    """What each expression was when it was last evaluated."""
    uses: dict[tuple[object, ...], LossUse] = field(default_factory=dict)
    forwards: dict[tuple[object, ...], Forward] = field(default_factory=dict)
    softmaxes: dict[tuple[object, ...], Softmax] = field(default_factory=dict)
    logs: dict[tuple[object, ...], Log] = field(default_factory=dict)
    operations: dict[tuple[object, ...], Operation] = field(default_factory=dict)
    totals: dict[tuple[object, ...], Total] = field(default_factory=dict)
    term_log: dict[int, list[Term]] = field(default_factory=dict)
    defaults: dict[str, float] = field(default_factory=dict)
    attributes: dict[tuple[int, str], Value] = field(default_factory=dict)
    constructed: dict[int, dict[str, Value]] = field(default_factory=dict)
    """What the constructors of classes were given, by the id of ``__init__``."""
    pending: set[tuple[int, str]] = field(default_factory=set)
    active: set[int] = field(default_factory=set)
    elsewhere: dict[tuple[int, str], Value] = field(default_factory=dict)
    """The values of names that other files assign at their top level."""

    def evaluate(self, node: ast.expr) -> Value:
        """The value of an expression, which is remembered."""
        if not self.tick():
            return UNKNOWN
        handler = self.handlers.get(type(node))
        if handler is None:
            self.evaluate_children(node)
        value: Value = UNKNOWN if handler is None else handler(self, node)
        self.see(node, value)
        return value

    def evaluate_children(self, node: ast.AST) -> None:
        """Evaluate the expressions inside a node of which nothing else is known."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child)

    def run(self, body: list[ast.stmt]) -> None:
        """Run statements in order, until a path ends."""
        for statement in body:
            if not self.frame.alive or not self.tick():
                return
            handler = self.handlers.get(type(statement), Machine.evaluate_children)
            handler(self, statement)

    @property
    def index(self) -> Index:
        """The file that the running function stands in."""
        return self.frames[-1].index if self.frames else self.own

    @property
    def frame(self) -> Frame:
        """The running function's frame."""
        return self.frames[-1]

    @property
    def scope(self) -> Scope:
        """The running function."""
        return self.frames[-1].scope

    def tick(self) -> bool:
        """Count a step; false when the budget is used up."""
        self.steps += 1
        return self.steps < MAX_STEPS

    def see(self, node: ast.expr, value: Value) -> None:
        """Remember the value of an expression, and the terms in it."""
        self.latest[id(node)] = value
        if self.scope.depth == 0 or id(node) not in self.values:
            self.values[id(node)] = value
        for term in value.terms:
            log = self.term_log.setdefault(id(term.use.node), [])
            if len(log) < MAX_FORMS:
                log.append(term)

    def record(self, kind: str, node: ast.AST, **fields: object) -> None:
        """Remember an operation."""
        key = (kind, id(node), self.context)
        self.operations[key] = Operation(kind, node, scope=self.scope, **fields)  # type: ignore[arg-type]

    def total(self, node: ast.AST, value: Value, how: str) -> None:
        """Remember a loss that a statement assigns, returns or backpropagates."""
        whole = getattr(node, "value", None)
        parts: list[tuple[ast.AST, Value]] = []
        for pattern in (whole, *getattr(node, "targets", ())):
            if isinstance(pattern, ast.Tuple | ast.List) and len(value.items or ()) == len(
                pattern.elts
            ):
                parts = list(zip(pattern.elts, value.items or (), strict=True))
                break
        if isinstance(whole, ast.Dict):
            parts = [(part, self.latest.get(id(part), UNKNOWN)) for part in whole.values]
        if isinstance(value.payload, Record) and not parts:
            parts = [(node, entry) for _, entry in value.payload.entries]
        for place, (part, item) in enumerate(parts or [(node, value)]):
            if item.terms:
                key = (id(part), place, self.context)
                self.totals[key] = Total(part, item, self.scope, how)

    def loss(self, use: LossUse) -> None:
        """Remember a loss."""
        self.uses[(*use.identity, self.context)] = use

    @contextmanager
    def entered(self, frame: Frame) -> Iterator[None]:
        """Run with a new frame."""
        self.frames.append(frame)
        try:
            yield
        finally:
            self.frames.pop()
