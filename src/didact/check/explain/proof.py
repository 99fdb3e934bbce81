"""What is known of an expression, as far as numbers bear it out.

What the engine infers (probabilities, over which dimension, at which temperature, which classes)
is a claim about numbers. The expression is part of a formula that can be evaluated, so each claim
is held against random numbers, and one that does not hold, or cannot be compared, is not made.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from didact.check.engine.engine import Analysis
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Grad, Role, Space
from didact.check.engine.values import Value
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.draws import Draw, bind
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.kinds import kinds_of
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.operations import OPERATIONS
from didact.check.explain.formula.tree import Call, Evaluator, Item, Node, walk

CLOSE = 1e-6
_SOFTMAXES = frozenset({"softmax", "log_softmax"})
_DISTRIBUTIONS = frozenset({Space.PROBS, Space.LOG_PROBS})


@dataclass(slots=True)
class Proof:
    """Values of expressions, with the claims that numbers bear out."""

    analysis: Analysis
    judged: Judged
    _evaluators: dict[int, Evaluator] = field(default_factory=dict)
    _numbers: dict[Node, Array | None] = field(default_factory=dict)
    _frozen: bool | None = None

    def value_of(self, node: ast.AST | None) -> Value | None:
        """What is known of an expression; None where nothing is."""
        value = self.analysis.value_of(node) if isinstance(node, ast.expr) else None
        if value is not None and value.grad is Grad.YES and self._is_frozen(value):
            value = value.replace(grad=Grad.NO)
        if value is not None and value.grad is Grad.NO and self._is_written(node):
            value = value.replace(grad=Grad.UNKNOWN)
        if value is not None and value.space is Space.ONE_HOT and self._is_written(node):
            value = value.replace(space=Space.UNKNOWN)
        if value is not None and value.rank is not None and not self._has_rank(value, node):
            value = value.replace(rank=None, exact=False)
        if value is None or value.space not in {*_DISTRIBUTIONS, Space.SIGMOID_PROBS}:
            return value
        traced = self.judged.tracer.values.get(id(node))
        numbers = self._number(traced) if isinstance(traced, Node) else None
        if numbers is None or not isinstance(traced, Node):
            return value.replace(space=Space.UNKNOWN, axis=None, temperature=None)
        if value.space is Space.SIGMOID_PROBS:
            inside = all(-CLOSE <= v <= 1 + CLOSE for v in numbers.data)
            return value if inside else value.replace(space=Space.UNKNOWN, temperature=None)
        return self._distribution(value, numbers, traced)

    def _is_frozen(self, value: Value) -> bool:
        """Whether a value is a teacher's whose parameters need no gradient."""
        if self._frozen is None:
            self._frozen = _is_teacher_frozen(self.analysis.tree)
        return self._frozen and value.role is Role.TEACHER

    def _has_rank(self, value: Value, node: ast.AST | None) -> bool:
        """Whether numbers have as many dimensions as is claimed, where there are numbers."""
        traced = self.judged.tracer.values.get(id(node))
        numbers = self._number(traced) if isinstance(traced, Node) else None
        if numbers is None or value.rank is None:
            return numbers is None
        return numbers.rank == value.rank if value.exact else numbers.rank >= value.rank

    def _is_written(self, node: ast.AST | None) -> bool:
        """Whether other numbers were put into a tensor, with their gradient."""
        traced = self.judged.tracer.values.get(id(node))
        return isinstance(traced, Call) and any(
            isinstance(p, Call) and p.name == "put" for p in walk(traced)
        )

    def is_distribution(
        self, part: Node, *, log: bool = False, dim: int | None = None
    ) -> bool | None:
        """Whether random numbers sum to 1 along a dimension; None where nothing can be told."""
        if not any(isinstance(p, Call) and p.name in _SOFTMAXES for p in walk(part)):
            return None
        numbers = self._number(part)
        if numbers is None:
            return None
        numbers = _exp(numbers) if log else numbers
        if dim is not None:
            inside = -numbers.rank <= dim < numbers.rank
            return _sums_to_one(numbers, dim % numbers.rank) if inside else None
        return any(_sums_to_one(numbers, axis) for axis in range(numbers.rank))

    def items(self) -> Iterator[tuple[ast.expr, Value]]:
        """Each expression on one line of which something is known."""
        for node in nodes_of(self.analysis.tree):
            if not isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
                continue
            value = self.value_of(node)
            if value is not None and node.end_lineno == node.lineno:
                yield node, value

    def _distribution(self, value: Value, numbers: Array, traced: Node) -> Value:
        probs = numbers if value.space is Space.PROBS else _exp(numbers)
        whole = [axis for axis in range(probs.rank) if _sums_to_one(probs, axis)]
        if value.partial:
            return value.replace(axis=None, temperature=None)
        axis = value.axis
        if axis is not None and axis < 0:
            axis += probs.rank
        if axis is None and len(whole) == 1:
            axis = whole[0]
            value = value.replace(axis=axis)
        if axis not in whole:
            return value.replace(space=Space.UNKNOWN, axis=None, temperature=None)
        if value.temperature is None or value.temperature.is_one:
            return value
        softened = any(_alike(soft, probs) for soft in self._softmaxes(traced))
        return value if softened else value.replace(temperature=None)

    def _softmaxes(self, traced: Node) -> Iterator[Array]:
        """The distributions that softmaxes inside a part give."""
        for part in walk(traced):
            if isinstance(part, Call) and part.name in _SOFTMAXES:
                numbers = self._number(part)
                if numbers is not None:
                    yield numbers if part.name == "softmax" else _exp(numbers)

    def _number(self, traced: Node) -> Array | None:
        """The numbers of a part on random tensors; None where it cannot be evaluated."""
        if traced not in self._numbers:
            self._numbers[traced] = self._evaluated(traced)
        return self._numbers[traced]

    def _evaluated(self, traced: Node) -> Array | None:
        loops = {p.loop.number for p in walk(traced) if isinstance(p, Item)}
        ranks = [b.rank for loss in self.judged.losses for b in loss.branches]
        for rank in dict.fromkeys([*ranks, *self.judged.ranks.order]):
            evaluator = self._evaluator(rank)
            evaluator._at.update(dict.fromkeys(loops, 0))
            try:
                found = evaluator(traced)
            except EvaluationError:
                continue
            finally:
                evaluator._at.clear()
            if isinstance(found, Array) and not any(map(math.isnan, found.data)):
                return found
        return None

    def _evaluator(self, rank: int) -> Evaluator:
        if rank not in self._evaluators:
            nodes = [v for v in self.judged.tracer.values.values() if isinstance(v, Node)]
            kinds = {**kinds_of(nodes), **self.judged.kinds}
            self._evaluators[rank] = Evaluator(bind(kinds.items(), Draw(rank=rank)))
        return self._evaluators[rank]


def _is_teacher_frozen(tree: ast.Module) -> bool:
    """``requires_grad = False`` for every parameter of a teacher, in either way to write it."""
    for node in nodes_of(tree):
        if isinstance(node, ast.For) and ".parameters()" in ast.unparse(node.iter):
            owner = ast.unparse(node.iter).split(".parameters()")[0]
            body = ast.unparse(node)
            off = "requires_grad = False" in body or "requires_grad_(False)" in body
            if off and role_of(owner) is Role.TEACHER:
                return True
        if isinstance(node, ast.Call) and ast.unparse(node).endswith(".requires_grad_(False)"):
            owner = ast.unparse(node.func).removesuffix(".requires_grad_").removesuffix(".eval()")
            if role_of(owner) is Role.TEACHER:
                return True
    return False


def _exp(array: Array) -> Array:
    return OPERATIONS["exp"](array)  # type: ignore[no-any-return]


def _sums_to_one(probs: Array, axis: int) -> bool:
    if any(p < -CLOSE for p in probs.data) or probs.shape[axis] < 2:
        return False
    total = OPERATIONS["sum"](probs, axis)
    data = total.data if isinstance(total, Array) else (total,)
    return all(math.isclose(v, 1.0, abs_tol=CLOSE) for v in data)


def _alike(one: Array, other: Array) -> bool:
    return one.shape == other.shape and all(
        math.isclose(a, b, abs_tol=CLOSE) for a, b in zip(one.data, other.data, strict=True)
    )
