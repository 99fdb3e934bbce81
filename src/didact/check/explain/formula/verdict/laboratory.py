"""Parts of a formula, evaluated on several draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.draws import TINY, Draw, bind
from didact.check.explain.formula.kinds import Kind, kinds_of
from didact.check.explain.formula.roles import Told
from didact.check.explain.formula.tree import (
    Call,
    Evaluator,
    Given,
    Loop,
    Node,
)

CLOSE = 1e-7


class _WithoutTiny(Evaluator):
    """Leaves out what is added for safety alone: ``log(p + 1e-8)`` is compared as ``log p``."""

    def _call(self, node: Call) -> Any:
        if node.name in {"add", "sub"} and len(node.args) == 2:
            left, right = (self(a) for a in node.args)
            for kept, other, first in ((left, right, True), (right, left, False)):
                tiny = isinstance(other, float) and 0 < abs(other) <= TINY
                if tiny and isinstance(kept, Array) and (first or node.name == "add"):
                    return kept
        return super()._call(node)


@dataclass(slots=True)
class Laboratory:
    """Evaluates parts of one formula on several draws."""

    node: Node
    kinds: dict[Given, Kind]
    roles: Mapping[Given, Told]
    rank: int
    incremental: bool = False
    _evaluators: dict[Draw, Evaluator] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    moved: dict[Node, Node] = field(default_factory=dict)
    defined: dict[tuple[object, ...], float | None] = field(default_factory=dict)
    tried: object = None
    bound: dict[Draw, tuple[dict[Given, object], Evaluator]] = field(default_factory=dict)

    @property
    def base(self) -> Draw:
        """The first draw."""
        return Draw(rank=self.rank)

    def evaluator(self, draw: Draw) -> Evaluator:
        """The values for a draw."""
        if draw not in self._evaluators:
            self._evaluators[draw] = _WithoutTiny(bind(self.kinds.items(), draw))
        return self._evaluators[draw]

    def raw(self, node: Node, draw: Draw, loop: Loop | None = None) -> object:
        """The value of a part; of the first item where it stands in a loop."""
        evaluator = self.evaluator(draw)
        if loop is None:
            return evaluator(node)
        evaluator._at[loop.number] = 0
        try:
            return evaluator(node)
        finally:
            del evaluator._at[loop.number]

    def number(self, node: Node, draw: Draw, loop: Loop | None = None) -> float:
        """The value of a part as one number: the mean where it has several."""
        value = self.raw(node, draw, loop)
        if isinstance(value, list) and value and all(isinstance(v, Array) for v in value):
            value = value[0]  # of a list of losses the first
        if isinstance(value, Array):
            if not value.data:
                raise EvaluationError("an empty tensor")
            return float(sum(value.data)) / len(value.data)
        if isinstance(value, int | float):
            return float(value)
        raise EvaluationError("not a number")

    def works(self) -> bool:
        """Whether the formula can be evaluated for this number of dimensions."""
        try:
            self.number(self.node, self.base)
        except EvaluationError:
            return False
        return True


def laboratory(
    node: Node, roles: Mapping[Given, Told], rank: int, *, incremental: bool = False
) -> Laboratory:
    """A formula with numbers for its names.

    Where it cannot be evaluated, the teacher may have the old classes alone, or a mask a dimension
    of one beside the places.
    """
    kinds = kinds_of([node])
    lab = Laboratory(node, kinds, roles, rank, incremental)
    if Kind.MASK in kinds.values() and not lab.works():
        wide: dict[Given, Kind] = {
            g: Kind.WIDE_MASK if k is Kind.MASK else k for g, k in kinds.items()
        }
        broad = Laboratory(node, wide, roles, rank, incremental)
        if broad.works():
            return broad
    if lab.works() or Kind.OLD_CLASSES not in kinds.values():
        return lab
    narrow = {
        g: Kind.OLD_OUTPUT if k is Kind.TENSOR and g in roles and roles[g].role == "teacher" else k
        for g, k in kinds.items()
    }
    other = Laboratory(node, narrow, roles, rank, incremental)
    return other if other.works() else lab
