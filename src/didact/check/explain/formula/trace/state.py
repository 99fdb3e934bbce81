"""What was followed so far, and what all steps ask."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence as Items
from typing import Any

from didact.check.explain.formula.libraries import (
    framework_of,
)
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.trace.looks import (
    compile_keywords,
    printed_calls,
    shown_calls,
    told_losses,
)
from didact.check.explain.formula.trace.objects import RAISED, Either, Entry, Instance, Scope, Value
from didact.check.explain.formula.trace.values import addend_of
from didact.check.explain.formula.tree import (
    Call,
    Choice,
    Constant,
    Each,
    Given,
    Loop,
    Node,
    Sequence,
)


class State(ABC):
    """What was followed so far."""

    def __init__(self, tree: ast.Module, words: str = "") -> None:
        self.tree = tree
        self.told = told_losses(words)
        self.entries: list[Entry] = []
        self.values: dict[int, Value] = {}
        self.labels: dict[Node, str] = {}
        self.frameworks: set[str] = set()
        self.told_used: set[str] = set()
        self.assumed: dict[str, str] = {}
        """Losses that are not shown, and as what they are taken."""
        self._givens: dict[tuple[str, tuple[Node, ...]], Given] = {}
        self._called: set[int] = set()
        self._depth = 0
        self._steps = 0
        self._depths: dict[Node, int] = {}
        self._loops = 0
        self._lasts: dict[Node, Node] = {}
        self._rounds: set[str] = set()
        """The names that a loop of training gave a value."""
        self._frozen = 0
        self._instances: list[Instance] = []
        self._owner = ""
        self._alone: Instance | None = None
        self._demonstrated: set[int] = set()
        self._shown = shown_calls(tree)
        self._printed = printed_calls(tree)
        self._stores = Counter(
            n.id for n in nodes_of(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        )
        """How often each name is assigned: a running sum is assigned more than once."""
        self._compiled = compile_keywords(tree)
        self.top = Scope()

    def _depth_of(self, node: Node) -> int:
        """How many operations a value is made of, one on the other."""
        pending = [node]
        while pending:
            part = pending[-1]
            below = [c for c in part.children if c not in self._depths]
            if below:
                pending += below
                continue
            self._depths[part] = 1 + max((self._depths[c] for c in part.children), default=0)
            pending.pop()
        return self._depths[node]

    def _choice(self, text: str, test: Node | None, then: Value, other: Value) -> Value:
        if then is other or other is RAISED:
            return then
        if then is RAISED:
            return other
        if isinstance(then, Constant) and isinstance(other, Constant) and then.value == other.value:
            return then
        if then is None or other is None:
            return then if other is None else other
        lists = isinstance(then, Sequence) and isinstance(other, Sequence)
        if lists and len(then.items) == len(other.items):
            pairs = zip(then.items, other.items, strict=True)
            return Sequence(tuple(self._choice(text, test, a, b) for a, b in pairs))
        if isinstance(then, Node) and isinstance(other, Node):
            return self._summed(text, test, then, other) or Choice(text, test, then, other)
        return Either(text, test, then, other)

    def _summed(self, text: str, test: Node | None, then: Node, other: Node) -> Node | None:
        """``other + x`` or ``other``: the condition is that of the addend alone."""
        for first, second, taken in ((then, other, True), (other, then, False)):
            more = None if isinstance(second, Constant) else addend_of(first, second)
            if more is not None:
                pair = (more, Constant(0)) if taken else (Constant(0), more)
                total = Call("add", (second, Choice(text, test, *pair)))
                label = self.labels.get(first)
                if label is not None:
                    self.labels.setdefault(total, label)
                return total
        return None

    def _library(self, path: str) -> None:
        framework = framework_of(path)
        if framework is not None:
            self.frameworks.add(framework)

    def _given(
        self, text: str, inputs: tuple[Node, ...], *, default: Any = None, model: bool = False
    ) -> Given:
        key = (text, inputs)
        if key not in self._givens:
            self._givens[key] = Given(text, inputs, default, model)
        return self._givens[key]

    def _unknown(self, text: str, inputs: Items[Value], *, model: bool = False) -> Given:
        nodes = tuple(i for i in inputs if isinstance(i, Node))
        return self._given(" ".join(text.split()), nodes, model=model)

    # What the classes below give

    @abstractmethod
    def _value(self, node: ast.expr, scope: Scope) -> Value: ...

    @abstractmethod
    def _block(self, body: Items[ast.stmt], scope: Scope) -> Value | None: ...

    @abstractmethod
    def _bind(self, target: ast.expr, value: Value, scope: Scope) -> None: ...

    @abstractmethod
    def _test(self, node: ast.expr, scope: Scope) -> Node | None: ...

    @abstractmethod
    def _loop(
        self, node: ast.expr, scope: Scope, *, sums: bool = False
    ) -> tuple[Loop | None, Value]: ...

    @abstractmethod
    def _unrolled(self, each: Each) -> Node: ...

    @abstractmethod
    def _goes_back(self, node: ast.AST, given: ast.expr, scope: Scope) -> bool: ...
