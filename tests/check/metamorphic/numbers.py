"""Compare what the checker infers of a value with what torch computes.

Every expression of which something is inferred is wrapped; the program runs on random tensors, and
each number that comes by is held against the inference: probabilities sum to one over their axis,
log-probabilities do so after ``exp``, ranks agree, and a distribution at temperature T is the
softmax of some scores, that were there before, divided by T.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

import torch
from tests.check.metamorphic.program import MAIN, Program
from tests.check.metamorphic.running import (
    Runnable,
    arguments,
    callable_of,
    namespace,
    outcome,
    shape_that_runs,
)
from torch import Tensor

from didact.check.engine.engine import analyse
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import Evidence, Space
from didact.check.engine.values import Value

_WATCHED = (Space.PROBS, Space.LOG_PROBS, Space.SIGMOID_PROBS, Space.LOGITS, Space.LABELS)
_WRAPPED = (ast.Name, ast.Call, ast.BinOp, ast.Subscript, ast.Attribute, ast.UnaryOp)


@dataclass
class Watch:
    """What is inferred, and what came by.

    Attributes:
        inferred: The wrapped expressions: text and value.
        scores: Tensors that have been seen.
        checks: How many comparisons were made.
        wrong: Those that failed, in words.
    """

    inferred: list[tuple[str, Value]] = field(default_factory=list)
    scores: list[Tensor] = field(default_factory=list)
    checks: int = 0
    wrong: list[str] = field(default_factory=list)

    def seen(self, number: int, result: Any, names: dict[str, Any]) -> Any:
        """Hold a result against the inference."""
        text, value = self.inferred[number]
        if isinstance(result, Tensor):
            for claim, holds in self._claims(value, result, names):
                self.checks += 1
                if not holds:
                    self.wrong.append(f"{text}: {claim}")
            if result.is_floating_point():
                self.scores.append(result.detach().clone())
        return result

    def _claims(self, value: Value, result: Tensor, names: dict[str, Any]) -> list[Any]:
        if value.space not in _WATCHED:
            return []
        claims = []
        if value.rank is not None and value.rank_from is not Evidence.NAME:
            right = result.dim() == value.rank if value.exact else result.dim() >= value.rank
            claims.append((f"rank {value.rank} (exact: {value.exact}), is {result.dim()}", right))
        factor = number_of(value.scale, names)
        if value.space is Space.LABELS or factor is None or value.partial:
            return claims
        plain = result.detach() / factor
        if value.space is Space.SIGMOID_PROBS:
            claims.append(("in (0, 1)", bool(((plain >= 0) & (plain <= 1)).all())))
        elif value.space in (Space.PROBS, Space.LOG_PROBS):
            probs = plain.exp() if value.space is Space.LOG_PROBS else plain
            claims.append((f"sums to one over {value.axis}", sums_to_one(probs, value.axis)))
            claims += self._temperature(value, probs, names)
        return claims

    def _temperature(self, value: Value, probs: Tensor, names: dict[str, Any]) -> list[Any]:
        divisor = number_of(value.temperature, names) if value.temperature else None
        if divisor is None or value.axis is None:
            return []
        axis = value.axis
        last = axis in (-1, probs.dim() - 1)
        fits = [
            torch.allclose((s.reshape(probs.shape) / divisor).softmax(axis), probs, atol=1e-6)
            for s in self.scores
            if s.shape == probs.shape
            or (last and s.numel() == probs.numel() and s.shape[-1:] == probs.shape[-1:])
        ]
        return [(f"a softmax at temperature {value.temperature.text}", any(fits))] if fits else []


def sums_to_one(probs: Tensor, axis: int | None) -> bool:
    """Whether a tensor sums to one over a dimension, or over any if it is not known."""
    axes = range(probs.dim()) if axis is None else [axis]
    totals = [probs.sum(a) for a in axes]
    positive = bool((probs >= -1e-9).all())
    return positive and any(torch.allclose(t, torch.ones_like(t), atol=1e-5) for t in totals)


def number_of(scale: Scale, names: dict[str, Any]) -> float | None:
    """The number that a product of symbols is, with the values of a running function."""
    result = scale.const
    for symbol, exponent in scale.atoms:
        try:
            result *= float(eval(symbol, {}, dict(names))) ** exponent
        except (NameError, AttributeError, SyntaxError, TypeError, ValueError, RuntimeError):
            return None
    return result


def watch(program: Program, item: Runnable, instead: Program | None = None) -> Watch | None:
    """Run one function and compare; nothing if it does not run on any shape.

    ``instead`` runs in its place, statement by statement, to show that a difference is seen.
    """
    shape = shape_that_runs(program, item)
    if shape is None:
        return None
    tree, watching = program.copy(), Watch()
    analysis = analyse(program.text, path=MAIN, tree=tree)
    values = {id(n): analysis.value_of(n) for n in ast.walk(tree) if isinstance(n, _WRAPPED)}
    texts = {number: ast.unparse(node) for number, node in _wrappable(tree)}
    if instead is not None:
        pairs = zip(ast.walk(tree), ast.walk(instead.tree), strict=False)
        values = {id(b): values.get(id(a)) for a, b in pairs if isinstance(a, ast.Call)}
        tree = instead.tree
        texts = {number: ast.unparse(node) for number, node in _wrappable(tree)}
    _Wrap(values, texts, watching).visit(tree)
    given = arguments(item.needed, shape)
    watching.scores = [g for g in given if isinstance(g, Tensor) and g.is_floating_point()]
    found = namespace(program, ast.fix_missing_locations(tree), __seen__=watching.seen)
    outcome(callable_of(found, item, given), given)
    return watching


def _wrappable(tree: ast.AST) -> list[tuple[int, ast.AST]]:
    return [(id(node), node) for node in ast.walk(tree) if isinstance(node, _WRAPPED)]


class _Wrap(ast.NodeTransformer):
    def __init__(self, values: dict[int, Value | None], texts: dict[int, str], watching: Watch):
        self.values, self.texts, self.watching = values, texts, watching

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The callee stays as it is, its parts do not."""
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
        node.args = [self.visit(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return self._wrapped(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Inner expressions first; parameters and imports are left alone."""
        if isinstance(node, ast.arguments | ast.Import | ast.ImportFrom):
            return node
        node = super().generic_visit(node)
        readable = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        return self._wrapped(node) if isinstance(node, _WRAPPED) and readable else node

    def _wrapped(self, node: ast.expr) -> ast.AST:
        value = self.values.get(id(node))
        if value is None:
            return node
        self.watching.inferred.append((self.texts[id(node)], value))
        number = ast.Constant(len(self.watching.inferred) - 1)
        names = ast.Call(ast.Name("locals", ast.Load()), [], [])
        return ast.Call(ast.Name("__seen__", ast.Load()), [number, node, names], [])
