"""What is known of an expression: a value, whose terms are losses, which are made of values."""

from __future__ import annotations

import ast
import dataclasses
from dataclasses import dataclass, field
from typing import TypeVar

from didact.check.engine.scale import ONE, UNSURE, Scale
from didact.check.engine.spaces import Evidence, Grad, Role, Space


@dataclass(frozen=True, slots=True)
class Value:
    """What the interpreter knows of one expression; every field may be unknown.

    Attributes:
        space: The kind of numbers or of object.
        role: Student's or teacher's.
        grad: Whether a gradient flows back through it.
        temperature: The divisor inside the softmax, ``1`` if there was none; ``None`` before any.
        axis: The dimension that sums to one.
        rank: How many dimensions it has, or at least has; of a model, those of what it returns.
        class_slice: The source text of the slice of classes it was cut to.
        scale: What it was multiplied by since it was made.
        terms: The loss terms summed in it.
        sources: The model calls (``Forward.key``) whose graph it belongs to.
        partial: It is a part of a distribution: sliced after the softmax.
        exact: ``rank`` is exact, not only a lower bound.
        shifted: Labels: an offset was subtracted or a mapping was applied.
        joined: Its terms come from different branches and are not one sum.
        space_from: Why the space is believed.
        role_from: Why the role is believed; a role that comes from no model is a guess.
        rank_from: Why the rank is believed.
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
    space_from: Evidence = Evidence.OPERATION
    role_from: Evidence = Evidence.NAME
    rank_from: Evidence = Evidence.OPERATION
    number: float | None = None
    items: tuple[Value, ...] | None = None
    payload: object = None
    origin: ast.expr | None = field(default=None, compare=False)

    def replace(self, **changes: object) -> Value:
        """The same value with some fields changed; a new space is an operation's doing."""
        if changes.get("space", self.space) is not self.space:
            changes.setdefault("space_from", Evidence.OPERATION)
        if changes.get("rank", self.rank) is None:
            changes.setdefault("rank_from", Evidence.OPERATION)
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    @property
    def by_name(self) -> bool:
        """Whether the space is told by a name alone."""
        return self.space_from is Evidence.NAME

    @property
    def is_tensor(self) -> bool:
        """Whether it certainly is a tensor."""
        return self.space in _TENSORS


MAX_TERMS = 32
"""A sum of losses keeps so many terms: real ones have under ten, generated code has thousands."""
MAX_CHOICES = 4
"""Of callables that branches choose from so many are followed."""
MAX_ITEMS = 64
"""A tuple or list keeps so many elements: a longer one is data, whose elements are alike."""

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
            ``"other"``, ``"named"`` (a term of a sum of which the name alone is known, such as
            ``loss_cls``: the loss on the true labels).
        input: The first argument (the prediction).
        target: The second argument.
        input_node: Its expression, if there is one.
        target_node: Its expression, if there is one.
        reduction: ``"mean"``, ``"sum"``, ``"batchmean"``, ``"none"``; ``None`` if not known.
        log_target: ``kl_div``'s flag; ``None`` if not known.
        criterion: The constructor call, when the loss is an object.
        arguments: The keyword arguments of the call or the constructor, by name.
        scope: Where it happens.
        under_no_grad: No graph is made where it is computed.
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
    under_no_grad: bool = False

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for the same loss at the same place, in whatever context."""
        return (id(self.node), self.kind, id(self.criterion))

    @property
    def by_hand(self) -> bool:
        """Whether the loss is written out instead of called."""
        return self.kind in ("soft_cross_entropy", "kl_by_hand")

    @property
    def is_hard(self) -> bool:
        """Whether the target is the true label."""
        if self.kind in ("nll", "named"):
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

    branches: tuple[tuple[int, int], ...] = ()
    """The choices it depends on, each with the branch that was taken."""

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for the same loss with the same factor."""
        return (*self.use.identity, self.scale, self.cut, len(self.reductions))

    def excludes(self, other: Term) -> bool:
        """Whether the two are alternatives: no sum has both."""
        taken = dict(self.branches)
        return any(taken.get(choice, branch) != branch for choice, branch in other.branches)

    def times(self, factor: Scale) -> Term:
        """The loss times a factor."""
        return dataclasses.replace(self, scale=self.scale.times(factor))

    def reduced(self, step: Reduction) -> Term:
        """The loss after one more reduction."""
        return dataclasses.replace(self, reductions=(*self.reductions, step))

    def detached(self) -> Term:
        """The loss, cut from its graph."""
        return dataclasses.replace(self, cut=True)


def join(left: Value, right: Value) -> Value:
    """What holds on both of two paths."""
    for value, other in ((left, right), (right, left)):
        if value == other or _says_nothing(other, beside=value):
            return value
    plain = Space.SCALAR in (left.space, right.space) or Space.LOSS in (left.space, right.space)
    return Value(
        space=_same(left.space, right.space, Space.UNKNOWN),
        role=_same(left.role, right.role, Role.UNKNOWN),
        grad=_same(left.grad, right.grad, Grad.UNKNOWN),
        temperature=_same(left.temperature, right.temperature, None),
        axis=_same(left.axis, right.axis, None),
        rank=_lower(left.rank, right.rank),
        class_slice=_same(left.class_slice, right.class_slice, None),
        scale=_same(left.scale, right.scale, ONE if plain else UNSURE),
        terms=_alternatives(left.terms, right.terms),
        sources=left.sources & right.sources,
        partial=left.partial and right.partial,
        exact=left.exact and right.exact and left.rank == right.rank,
        shifted=left.shifted or right.shifted,
        joined=left.joined or right.joined or _is_choice(left.terms, right.terms),
        space_from=_weaker(left.space_from, right.space_from),
        role_from=_weaker(left.role_from, right.role_from),
        rank_from=_weaker(left.rank_from, right.rank_from),
        number=_same(left.number, right.number, None),
        items=_join_items(left, right),
        payload=_join_payloads(left, right),
        origin=left.origin,
    )


def _says_nothing(value: Value, *, beside: Value) -> bool:
    """Whether a value only holds the place of another: None, a number, a tensor to be filled."""
    if value.space is Space.NONE:
        return True
    if value.space is Space.SCALAR and value.number is not None:
        return beside.is_tensor
    if value.space is Space.SCALAR:
        return beside.space is Space.LOSS
    return value.payload == "filled" and not value.is_tensor and beside.is_tensor


def merge_terms(left: tuple[Term, ...], right: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms of both, each once."""
    if not left and len(right) < 2:
        return right
    terms: dict[tuple[object, ...], Term] = {}
    for term in (*left, *right):
        terms.setdefault((*term.identity, term.branches), term)
    return tuple(terms.values())[:MAX_TERMS]


def _is_choice(left: tuple[Term, ...], right: tuple[Term, ...]) -> bool:
    """Whether the terms of two branches are alternatives: neither adds to the other."""
    one, other = {term.use.identity for term in left}, {term.use.identity for term in right}
    return not (one <= other or other <= one)


def _alternatives(left: tuple[Term, ...], right: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms of two branches; those of one branch alone are marked as such."""
    if not left or not right or not _is_choice(left, right):
        return merge_terms(left, right)
    shared = {t.use.identity for t in left} & {t.use.identity for t in right}
    choice = hash(tuple(sorted(id(term.use.node) for term in (*left, *right))))
    marked = [
        term
        if term.use.identity in shared
        else dataclasses.replace(term, branches=(*term.branches, (choice, branch)))
        for branch, terms in enumerate((left, right))
        for term in terms
    ]
    return merge_terms((), tuple(marked))


class Callee:
    """What a value can stand for when it is called: known code, kept apart in each branch."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Choice(Callee):
    """One of several callables; a branch decides which."""

    options: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """A dictionary, or an object made of keywords: what lies under each key that is written out."""

    entries: tuple[tuple[str, Value], ...] = ()

    def get(self, key: object) -> Value | None:
        """The entry of a key; nothing where it was not seen to be set."""
        return next((value for name, value in self.entries if name == key), None)

    def having(self, key: str, value: Value) -> Record:
        """The same with one entry set."""
        entries = dict(self.entries)
        if len(entries) < MAX_ITEMS or key in entries:
            entries[key] = value
        return Record(tuple(entries.items()))

    def beside(self, other: Record) -> Record:
        """What holds of both: an entry that one alone has is kept."""
        entries = dict(self.entries)
        for key, value in other.entries:
            entries[key] = join(entries[key], value) if key in entries else value
        return Record(tuple(entries.items())[:MAX_ITEMS])


def _join_payloads(left: Value, right: Value) -> object:
    if left.payload == right.payload:
        return left.payload
    if isinstance(left.payload, Record) and isinstance(right.payload, Record):
        return left.payload.beside(right.payload)
    if not any(isinstance(value.payload, Callee) for value in (left, right)):
        return None
    options: list[Value] = []
    for value in (left, right):
        many = value.payload.options if isinstance(value.payload, Choice) else (value,)
        options += [option for option in many if option not in options]
    return Choice(tuple(options[:MAX_CHOICES]))


def _same(left: T, right: T, otherwise: T) -> T:
    return left if left == right else otherwise


def _lower(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else min(left, right)


def _weaker(left: Evidence, right: Evidence) -> Evidence:
    if Evidence.NAME in (left, right):
        return Evidence.NAME
    return left if left is right else Evidence.OPERATION


def _join_items(left: Value, right: Value) -> tuple[Value, ...] | None:
    """The elements of two lists; what was appended on one of two paths is kept."""
    if left.items is None or right.items is None:
        return None
    shared = tuple(join(a, b) for a, b in zip(left.items, right.items, strict=False))
    longer = max(left.items, right.items, key=len)
    return shared + longer[len(shared) :]
