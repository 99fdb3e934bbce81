"""What the mistakes of a formula are told by, and how they are reported."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Given, Node, walk
from didact.check.explain.formula.verdict.factors import live as live
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Finding, Fix, Severity


@dataclass(frozen=True, slots=True)
class Look:
    """The judged formulas of a paste, and what else is known of it."""

    judged: Judged
    known: frozenset[str]
    """The kinds of mistakes that were found already."""
    places: Mapping[Node, ast.AST]
    """Where each part of a formula stands."""
    calls: Mapping[Node, list[ast.Call]]
    """All calls that are each part."""
    words: str
    """The text around the code."""

    @property
    def is_torch(self) -> bool:
        """Whether nothing but PyTorch is in sight."""
        return not self.judged.tracer.frameworks - {"torch"}

    @property
    def is_elsewhere(self) -> bool:
        """Whether the code is of another framework."""
        return bool(self.judged.tracer.frameworks) and "torch" not in self.judged.tracer.frameworks


def look_at(judged: Judged, known: frozenset[str], words: str) -> Look:
    """What the mistakes are told by."""
    tracer = judged.tracer
    places: dict[Node, ast.AST] = {}
    calls: dict[Node, list[ast.Call]] = {}
    for node in nodes_of(tracer.tree):
        value = tracer.values.get(id(node)) if isinstance(node, ast.expr) else None
        if isinstance(value, Node):
            places.setdefault(value, node)
            if isinstance(node, ast.Call):
                calls.setdefault(value, []).append(node)
    return Look(judged, known, places, calls, words)


def finding(
    code: str, severity: Severity, node: ast.AST, fix: Fix | None = None, **values: object
) -> Finding:
    """A finding at a node, with its message filled in."""
    return Finding(code, severity, span(node), OWN[code].format(**values), fix)


def place(part: Node, loss: Loss, places: Mapping[Node, ast.AST]) -> ast.AST:
    """Where a part of a formula stands; else where its loss does."""
    for inner in walk(part):
        if inner in places and isinstance(inner, Call):
            return places[inner]
    return loss.entry.node


def called(look: Look, part: Node, name: str) -> ast.Call | None:
    """The call of the function ``name`` that a part is, not one of a function around it."""
    found = look.calls.get(part, [])
    return next((n for n in found if last_name(n.func) == name), None)


def tensors(judged: Judged) -> set[Given]:
    """The tensors that a formula is made of."""
    return {g for g, k in judged.kinds.items() if k in {Kind.TENSOR, Kind.LIST}}


def operand(node: ast.expr) -> str:
    """An expression as a factor: a sum or a product in brackets."""
    return f"({ast.unparse(node)})" if isinstance(node, ast.BinOp) else ast.unparse(node)
