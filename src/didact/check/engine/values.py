"""What is known of one expression: the abstract value of the interpreter."""

from __future__ import annotations

import ast
import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from didact.check.engine.scale import ONE, Scale
from didact.check.engine.spaces import Grad, Role, Space

if TYPE_CHECKING:
    from didact.check.engine.events import Term


@dataclass(frozen=True, slots=True)
class Value:
    """What the interpreter knows of one expression; every field may be unknown.

    Attributes:
        space: The kind of numbers or of object.
        role: Student's or teacher's.
        grad: Whether a gradient flows back through it.
        temperature: The divisor inside the softmax, ``1`` if there was none; ``None`` before any.
        axis: The dimension that sums to one.
        rank: How many dimensions it has, or at least has.
        class_slice: The source text of the slice of classes it was cut to.
        scale: What it was multiplied by since it was made.
        terms: The loss terms summed in it.
        sources: The model calls (``Forward.key``) whose graph it belongs to.
        partial: It is a part of a distribution: sliced after the softmax.
        exact: ``rank`` is exact, not only a lower bound.
        shifted: Labels: an offset was subtracted or a mapping was applied.
        joined: Its terms come from different branches and are not one sum.
        by_name: The space is told by the variable's name alone.
        number: A constant.
        items: The elements of a tuple or list.
        payload: A callable, module, class, criterion or layer behind the value.
        origin: The expression that made it.
    """

    space: Space = Space.UNKNOWN
    role: Role = Role.UNKNOWN
    grad: Grad = Grad.UNKNOWN
    temperature: Scale | None = None
    axis: int | None = None
    rank: int | None = None
    class_slice: str | None = None
    scale: Scale = ONE
    terms: tuple[Term, ...] = ()
    sources: frozenset[int] = frozenset()
    partial: bool = False
    exact: bool = False
    shifted: bool = False
    joined: bool = False
    by_name: bool = False
    number: float | None = None
    items: tuple[Value, ...] | None = None
    payload: object = None
    origin: ast.expr | None = field(default=None, compare=False)

    def replace(self, **changes: object) -> Value:
        """The same value with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    @property
    def is_tensor(self) -> bool:
        """Whether it certainly is a tensor."""
        return self.space in _TENSORS


T = TypeVar("T")

UNKNOWN = Value()
NOTHING = Value(space=Space.NONE)

_TENSORS = frozenset(
    {
        Space.LOGITS,
        Space.OUTPUT,
        Space.LOG_PROBS,
        Space.PROBS,
        Space.SIGMOID_PROBS,
        Space.LABELS,
        Space.ONE_HOT,
        Space.MIXED,
        Space.LOSS,
        Space.FEATURES,
        Space.MASK,
    }
)


def join(left: Value, right: Value) -> Value:
    """What holds on both of two paths."""
    if left == right or right.space is Space.NONE:
        return left
    if left.space is Space.NONE:
        return right
    if left.space is Space.LOSS and right.space is Space.SCALAR:
        return left
    if right.space is Space.LOSS and left.space is Space.SCALAR:
        return right
    if left.payload == "filled" and right.space is Space.ONE_HOT:
        return right
    if right.payload == "filled" and left.space is Space.ONE_HOT:
        return left
    return Value(
        space=_same(left.space, right.space, Space.UNKNOWN),
        role=_same(left.role, right.role, Role.UNKNOWN),
        grad=_same(left.grad, right.grad, Grad.UNKNOWN),
        temperature=_same(left.temperature, right.temperature, None),
        axis=_same(left.axis, right.axis, None),
        rank=_same(left.rank, right.rank, None),
        class_slice=_same(left.class_slice, right.class_slice, None),
        scale=_same(left.scale, right.scale, ONE),
        terms=merge_terms(left.terms, right.terms),
        sources=left.sources & right.sources,
        partial=left.partial and right.partial,
        exact=left.exact and right.exact,
        shifted=left.shifted or right.shifted,
        joined=left.joined or right.joined or _is_choice(left.terms, right.terms),
        by_name=left.by_name or right.by_name,
        number=_same(left.number, right.number, None),
        items=_join_items(left, right),
        payload=_same(left.payload, right.payload, None),
        origin=left.origin,
    )


def merge_terms(left: tuple[Term, ...], right: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms of both, each once."""
    if not left or left == right:
        return right
    seen = {term.identity for term in left}
    return (*left, *(term for term in right if term.identity not in seen))[:32]


def _is_choice(left: tuple[Term, ...], right: tuple[Term, ...]) -> bool:
    """Whether the terms of two branches are alternatives: neither adds to the other."""
    one, other = {id(term.use.node) for term in left}, {id(term.use.node) for term in right}
    return not (one <= other or other <= one)


def _same(left: T, right: T, otherwise: T) -> T:
    return left if left == right else otherwise


def _join_items(left: Value, right: Value) -> tuple[Value, ...] | None:
    if left.items is None or right.items is None or len(left.items) != len(right.items):
        return None
    return tuple(join(a, b) for a, b in zip(left.items, right.items, strict=True))
