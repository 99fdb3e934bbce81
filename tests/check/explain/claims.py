"""Every expression of a paste beside its tensor: what is claimed of it must hold of the numbers.

The code runs in PyTorch on random tensors with a recorder around each expression. Compared are the
five claims that a line can make: the space (probabilities sum to one over their axis, logits do
not), the number of dimensions, the temperature (a softmax of scores that were there before, divided
by it), the slice of classes (as many as it names) and the gradient.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from tests.check.explain.support import run
from tests.check.metamorphic.numbers import number_of, sums_to_one
from torch import Tensor

from didact.check.engine.engine import analyse
from didact.check.engine.spaces import Space
from didact.check.engine.values import Value
from didact.check.explain.formula.draws import Draw
from didact.check.explain.formula.judge import judge
from didact.check.explain.proof import Proof

WATCHED = (ast.Name, ast.Call, ast.BinOp, ast.Subscript, ast.Attribute, ast.UnaryOp)


@dataclass
class Compared:
    """How often each claim was compared, and what is not so."""

    counts: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    scores: list[Tensor] = field(default_factory=list)

    def seen(self, text: str, value: Value | None, result: Any, names: dict[str, Any]) -> Any:
        """Hold one number against what is claimed of it."""
        if isinstance(result, Tensor):
            if value is not None:
                for kind, told, holds in self._claims(value, result, names):
                    self.counts[kind] = self.counts.get(kind, 0) + 1
                    if not holds:
                        self.wrong.append(f"{text}: {told}, is {tuple(result.shape)}")
            if result.is_floating_point() and result.dim():
                self.scores.append(result.detach().clone())
        return result

    def _claims(
        self, value: Value, result: Tensor, names: dict[str, Any]
    ) -> Iterator[tuple[str, str, bool]]:
        if value.rank is not None and value.is_tensor:
            fits = result.dim() == value.rank if value.exact else result.dim() >= value.rank
            yield "rank", f"{value.rank} dimensions (exact: {value.exact})", fits
        if str(value.grad) == "no":
            yield "gradient", "no gradient", not result.requires_grad
        if str(value.grad) == "yes" and result.is_floating_point():
            yield "gradient", "a gradient", result.requires_grad
        factor = number_of(value.scale, names)
        if factor is None or not factor:
            return
        plain = result.detach() / factor
        yield from self._space(value, plain, names)
        if value.class_slice and value.space in {Space.LOGITS, Space.PROBS, Space.LOG_PROBS}:
            yield from _slice(value, plain, names)

    def _space(
        self, value: Value, plain: Tensor, names: dict[str, Any]
    ) -> Iterator[tuple[str, str, bool]]:
        if value.space is Space.SIGMOID_PROBS:
            yield "space", "in (0, 1)", bool(((plain >= 0) & (plain <= 1)).all())
        if value.space is Space.LOGITS and plain.dim() > 1 and plain.numel():
            yield "space", "scores, no distribution", not sums_to_one(plain, -1)
        if value.partial or value.space not in {Space.PROBS, Space.LOG_PROBS}:
            return
        probs = plain.exp() if value.space is Space.LOG_PROBS else plain
        axis = value.axis
        if axis is not None and not -probs.dim() <= axis < probs.dim():
            yield "space", f"an axis {axis}", False
            return
        yield "space", f"{value.space} over {axis}", sums_to_one(probs, axis)
        told = value.temperature if value.temperature and not value.temperature.is_one else None
        divisor = number_of(told, names) if told else None
        if divisor is not None and axis is not None:
            fits = [
                torch.allclose((s / divisor).softmax(axis), probs, atol=1e-6)
                for s in self.scores if s.shape == probs.shape
            ]  # fmt: skip
            if fits:
                yield "temperature", f"temperature {divisor}", any(fits)


def _slice(value: Value, plain: Tensor, names: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    parts = str(value.class_slice).split(":")
    try:
        bounds = [int(eval(p, {}, dict(names))) if p.strip() else None for p in parts]
    except (NameError, TypeError, ValueError, SyntaxError, AttributeError):
        return
    start, stop = (bounds[0] or 0), bounds[1] if len(bounds) > 1 else None
    if len(bounds) == 2 and start >= 0 and stop is not None and stop >= start:
        axis = 1 if plain.dim() == 4 else -1
        told = f"the classes {value.class_slice}"
        yield "slice", told, plain.shape[axis] <= stop - start


def compare(source: str) -> Compared:
    """Run what can be run of a source and compare every claim."""
    found = Compared()
    tree = ast.parse(source)
    judged = judge(tree, source)
    proof = Proof(analyse(source, tree=tree, thorough=True), judged)
    for loss in judged.losses[:2]:
        watched = copy.deepcopy(tree)
        pairs = zip(ast.walk(tree), ast.walk(watched), strict=True)
        values = {id(b): proof.value_of(a) for a, b in pairs if isinstance(a, WATCHED)}
        table: list[tuple[str, Value | None]] = []
        wrapped = ast.fix_missing_locations(_Wrap(values, table).visit(watched))

        def seen(
            number: int, result: Any, names: Any,
            table: list[tuple[str, Value | None]] = table,
        ) -> Any:  # fmt: skip
            return found.seen(*table[number], result, names)

        found.scores = []
        try:
            run(wrapped, loss, judged, Draw(rank=loss.branches[0].rank), seen=seen)
        except Exception:  # noqa: BLE001 - what the page left out cannot be run
            continue
    return found


class _Wrap(ast.NodeTransformer):
    def __init__(self, values: dict[int, Value | None], table: list[tuple[str, Value | None]]):
        self.values, self.table = values, table

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The callee stays as it is, its parts do not."""
        if isinstance(node.func, ast.Name) and node.func.id in {"super", "locals"}:
            return node
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
        node.args = [self.visit(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return self._wrapped(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Inner expressions first; parameters, classes' bases and imports are left alone."""
        if isinstance(node, ast.arguments | ast.Import | ast.ImportFrom | ast.Delete | ast.Starred):
            return node
        if isinstance(node, ast.ClassDef):
            node.body = [self.visit(statement) for statement in node.body]
            return node
        if isinstance(node, ast.FunctionDef):
            node.body = [self.visit(statement) for statement in node.body]
            return node
        node = super().generic_visit(node)
        readable = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        return self._wrapped(node) if isinstance(node, WATCHED) and readable else node

    def _wrapped(self, node: ast.expr) -> ast.AST:
        self.table.append((ast.unparse(node)[:80], self.values.get(id(node))))
        number = ast.Constant(len(self.table) - 1)
        names = ast.Call(ast.Name("locals", ast.Load()), [], [])
        return ast.Call(ast.Name("__seen__", ast.Load()), [number, node, names], [])
