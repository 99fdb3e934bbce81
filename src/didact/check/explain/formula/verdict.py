"""How far a formula is from the named definitions, by numbers: equal, off by a factor, unknown.

Both are evaluated on random numbers. A term is equal to a definition if the numbers are; it departs
by a factor if their quotient is the same for all numbers and depends on sizes and the temperature
alone. Anything else is not recognised, and nothing is said of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Any

from didact.check.engine.scale import may_hold_square
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.definitions import (
    DEFINITIONS,
    GENERIC,
    LOGITS,
    Definition,
    tree_of,
)
from didact.check.explain.formula.draws import TINY, Draw, bind
from didact.check.explain.formula.kinds import INDICES, SOFTMAXES, Kind, is_scalar, kinds_of
from didact.check.explain.formula.roles import Told, leaves, side
from didact.check.explain.formula.tree import (
    Call,
    Constant,
    Each,
    Evaluator,
    Given,
    Item,
    Loop,
    Node,
    Sequence,
    walk,
)

CLOSE = 1e-7
_SIZES = {
    "T": ("temperature", 3.0), "B": ("batch", 5), "C": ("classes", 7), "S": ("positions", 4),
    "H·W": ("height", 3), "N": ("teachers", 3),
}  # fmt: skip
_LOSSES = frozenset(
    [
        "kl_div",
        "cross_entropy",
        "nll_loss",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
        "mse_loss",
        "l1_loss",
        "smooth_l1_loss",
        "huber_loss",
        "cosine_embedding_loss",
    ]
)


@dataclass(frozen=True, slots=True)
class Law:
    """``constant · Π size^power``: what a term is, divided by its definition."""

    constant: float
    powers: tuple[tuple[str, float], ...] = ()

    @property
    def is_one(self) -> bool:
        """Whether the two are equal."""
        return not self.powers and abs(self.constant - 1) < 1e-6

    @property
    def text(self) -> str:
        """``1/T²``, ``1/C``, ``−1``, ``16``."""
        over = [_power(n, -p) for n, p in self.powers if p < 0]
        upper = [_power(n, p) for n, p in self.powers if p > 0]
        constant = self.constant
        if abs(constant - 1) > 1e-6 or not upper:
            inverse = round(1 / constant, 6) if constant else 0.0
            if constant > 0 and constant < 1 and inverse == int(inverse) and not over:
                over.append(f"{inverse:g}")
                constant = 1.0
            if abs(constant - 1) > 1e-6 or not upper:
                upper.insert(0, f"{constant:.4g}".replace("-", "−"))
        text = "·".join(upper)
        if not over:
            return text
        below = "·".join(over)
        return f"{text}/({below})" if "·" in below else f"{text}/{below}"


def _power(name: str, power: float) -> str:
    if power == 1:
        return name
    shown = {2.0: "²", 3.0: "³"}.get(power, f"^{power:g}")
    return f"({name}){shown}" if "·" in name else name + shown


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One addend of a loss, with what it is.

    Attributes:
        weights: Its free factors, each with its power.
        body: What is left.
        definition: The named loss that it is, or is a multiple of.
        law: What it is, divided by the definition.
        student: The part that stands for ``s``.
        teacher: The part that stands for ``t``.
        temperature: The part that stands for ``T``.
        over: The loop that it is summed over.
        cut: It stands outside the graph.
        rank: For which number of dimensions this holds.
        mean: It is a number per sample, of which the mean was taken.
        wrong_sign: The addend that has the wrong sign.
        labels: The part that stands for ``y``; the next ones for the definition's other names.
    """

    weights: tuple[tuple[Node, int], ...]
    body: Node
    definition: Definition | None = None
    law: Law | None = None
    student: Node | None = None
    teacher: Node | None = None
    temperature: Node | None = None
    over: Loop | None = None
    cut: bool = False
    rank: int = 2
    mean: bool = False
    wrong_sign: Node | None = None
    labels: Node | None = None
    scalar: Node | None = None
    old: Node | None = None
    hot: Node | None = None
    padding: Node | None = None
    smoothing: Node | None = None
    mask: Node | None = None
    second: Node | None = None
    dead: bool = False
    """The student's side is computed without gradient."""

    @property
    def status(self) -> str:
        """``"equal"``, ``"departs"`` or ``"unknown"``."""
        if self.definition is None or self.law is None:
            return "unknown"
        right = self.law.is_one and self.wrong_sign is None
        return "equal" if right else "departs"


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
    _defined: dict[tuple[object, ...], float | None] = field(default_factory=dict)

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


Weights = list[tuple[Node, int]]


def solve(
    lab: Laboratory, node: Node, loop: Loop | None = None, outer: Weights | None = None
) -> list[Term]:
    """The terms of a formula, each matched with a definition if there is one."""
    weights, body, sign, cut = _stripped(node, lab.kinds)
    factors = [*(outer or ()), *weights]
    parts = addends(body)
    hidden = len(parts) > 1 and any(_is_nothing(lab, p, loop) for p in parts)
    found = None if hidden else _match(lab, body, factors, sign, loop)
    if found is not None:
        return [_divided_by_count(_with(found, weights, cut))]
    if len(parts) > 1:
        return [_with(t, weights, cut) for t in _solve_sum(lab, parts, sign, loop, factors)]
    inner = _summed(body)
    if inner is not None and loop is None:
        terms = solve(lab, inner.body, inner.loop, factors)
        return [_over(lab, t, inner.loop, weights, sign, cut) for t in terms]
    if sign < 0:
        body = Call("neg", (body,))
    return [Term(tuple(weights), body, cut=cut, rank=lab.rank, over=loop)]


def _solve_sum(
    lab: Laboratory, parts: list[Node], sign: int, loop: Loop | None, outer: Weights
) -> list[Term]:
    """First groups that are one definition together, then each addend for itself."""
    left = [p for p in parts if not _is_zero(p)] or list(parts[:1])
    parts = left[:]
    terms: list[Term] = []
    left = [p for p in left if not _is_nothing(lab, p, loop)]
    nothing = [p for p in parts if p not in left]
    if len(parts) <= 6:
        for size in range(len(parts), 1, -1):
            for group in combinations(left, size):
                found = _group(lab, group, sign, loop, flip=size == len(parts))
                if found is not None:
                    terms.append(found)
                    left = [p for p in left if p not in group]
                    break
    for part in (*left, *nothing):
        inner = Call("neg", (part,)) if sign < 0 else part
        terms += solve(lab, inner, loop, outer)
    return terms


def _is_nothing(lab: Laboratory, part: Node, loop: Loop | None) -> bool:
    """Whether an addend that is no plain number is 0 for these numbers: it would hide in a sum."""
    if isinstance(part, Constant | Given) or _is_zero(part):
        return False
    try:
        return abs(lab.number(part, lab.base, loop)) < 1e-12
    except EvaluationError:
        return False


def _is_zero(node: Node) -> bool:
    """Whether an addend is 0 whatever the names are: where a sum begins, or a branch adds none."""
    while isinstance(node, Call) and node.name in {"mul", "neg", "div", "detach", "floating"}:
        if node.name == "mul" and _is_zero(node.args[1]):
            return True
        node = node.args[0]
    if isinstance(node, Constant):
        return isinstance(node.value, int | float) and node.value == 0
    if isinstance(node, Call) and node.name == "tensor" and len(node.args) == 1:
        return _is_zero(node.args[0])
    return isinstance(node, Call) and node.name in {"zeros", "zeros_like"}


def _group(
    lab: Laboratory, group: tuple[Node, ...], sign: int, loop: Loop | None, *, flip: bool
) -> Term | None:
    """Several addends that are one definition together, or would be with one sign changed."""
    flips: list[int | None] = [None, *(range(len(group)) if flip else ())]
    for wrong in flips:
        total: Node | None = None
        for number, part in enumerate(group):
            addend = Call("neg", (part,)) if number == wrong else part
            total = addend if total is None else Call("add", (total, addend))
        assert total is not None
        weights, body, inner_sign, cut = _stripped(total, lab.kinds)
        found = _match(lab, body, weights, sign * inner_sign, loop, several=True)
        if found is None:
            continue
        if wrong is None:
            return _with(found, weights, cut)
        if found.law is not None and found.law.is_one:
            return replace(found, weights=tuple(weights), body=total, wrong_sign=group[wrong])
    return None


def _with(term: Term, weights: list[tuple[Node, int]], cut: bool) -> Term:
    extra = tuple(w for w in weights if w not in term.weights)
    return replace(term, weights=(*extra, *term.weights), cut=term.cut or cut)


def _divided_by_count(term: Term) -> Term:
    """A sum over teachers in which the division by their number stands in front of the term."""
    law = term.law
    loops = [part.loop for part in walk(term.body) if isinstance(part, Each)]
    through = {part for loop in loops for source in loop.sources for part in walk(source)}
    counts = [w for w in term.weights if _is_count(w[0]) and through & set(walk(w[0]))]
    if law is None or not counts or not dict(law.powers).get("N"):
        return term
    powers = dict(law.powers)
    powers["N"] += sum(power for _, power in counts)
    own = tuple(w for w in term.weights if w not in counts)
    kept = tuple((name, power) for name, power in powers.items() if power)
    return replace(term, weights=own, law=Law(law.constant, kept))


def _over(
    lab: Laboratory, term: Term, loop: Loop, weights: list[tuple[Node, int]], sign: int, cut: bool
) -> Term:
    """A term that is summed over a loop: N times its definition, unless it is divided by N."""
    law = term.law
    weighted = any(isinstance(p, Item) for w, _ in (*weights, *term.weights) for p in walk(w))
    if law is not None and not _is_paired(term, loop):
        counts = sum(p for w, p in (*weights, *term.weights) if _is_count(w))
        powers = dict(law.powers)
        if not weighted:
            powers["N"] = powers.get("N", 0.0) + 1.0 + counts
        law = Law(law.constant * sign, tuple((n, p) for n, p in powers.items() if p))
    elif law is not None:
        law = Law(law.constant * sign, law.powers)
    own = (w for w in weights if not _is_count(w[0]))
    return replace(
        term, weights=(*own, *term.weights), law=law, over=loop, cut=term.cut or cut, rank=lab.rank
    )


def _is_paired(term: Term, loop: Loop) -> bool:
    """Whether the student's side goes through the loop as well: pairs of layers, no teachers."""
    student = term.student
    if student is None:
        return False
    sources = {p for source in loop.sources for p in walk(source)}
    return bool(leaves(student) & sources) or any(
        isinstance(p, Item) and p.loop is loop for p in walk(student)
    )


def _is_count(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "length"


def _summed(node: Node) -> Each | None:
    if isinstance(node, Call) and node.name == "sum" and len(node.children) == 1:
        inner = node.args[0]
        if isinstance(inner, Each):
            return inner
        if isinstance(inner, Call) and inner.name == "stack" and isinstance(inner.args[0], Each):
            return inner.args[0]
    return None


def _stripped(
    node: Node, kinds: dict[Given, Kind]
) -> tuple[list[tuple[Node, int]], Node, int, bool]:
    """The factors in front of a term, the term, its sign, and whether it is outside the graph."""
    weights: list[tuple[Node, int]] = []
    sign, cut = 1, False
    while isinstance(node, Call):
        if node.name == "neg":
            sign, node = -sign, node.args[0]
        elif node.name in {"identity", "floating"}:
            node = node.args[0]
        elif node.name in {"detach", "item"}:
            cut, node = True, node.args[0]
        elif node.name == "mul":
            left, right = node.args
            if _is_factor(left, kinds):
                weights.append((left, 1))
                node = right
            elif _is_factor(right, kinds):
                weights.append((right, 1))
                node = left
            else:
                break
        elif node.name == "div" and _is_factor(node.args[1], kinds):
            weights.append((node.args[1], -1))
            node = node.args[0]
        else:
            break
    flat: list[tuple[Node, int]] = []
    for weight, power in weights:
        for factor, inner in _factors(weight):
            if isinstance(factor, Constant) and factor.value < 0:
                sign, factor = -sign, Constant(-factor.value)
            flat.append((factor, power * inner))
    return flat, node, sign, cut


def _factors(node: Node) -> Iterator[tuple[Node, int]]:
    if isinstance(node, Constant) and node.factors:
        yield from ((Constant(f), 1) for f in node.factors)
    elif isinstance(node, Call) and node.name == "mul":
        yield from _factors(node.args[0])
        yield from _factors(node.args[1])
    elif isinstance(node, Call) and node.name == "div":
        yield from _factors(node.args[0])
        yield from ((f, -p) for f, p in _factors(node.args[1]))
    elif isinstance(node, Call) and node.name == "square":
        yield from ((f, 2 * p) for f, p in _factors(node.args[0]))
    elif isinstance(node, Call) and node.name == "pow" and isinstance(node.args[1], Constant):
        power = node.args[1].value
        if isinstance(power, int | float) and power == int(power) and abs(power) < 9:
            yield from ((f, int(power) * p) for f, p in _factors(node.args[0]))
        else:
            yield node, 1
    else:
        yield node, 1


def _is_factor(node: Node, kinds: dict[Given, Kind]) -> bool:
    if is_scalar(node, kinds) or _is_count(node):
        return True
    if isinstance(node, Item):
        source = node.loop.sources[node.source] if node.source >= 0 else None
        if isinstance(source, Call) and source.name == "tensor" and source.args:
            source = source.args[0]
        if isinstance(source, Sequence):
            return all(isinstance(i, Constant) for i in source.items)
        return isinstance(source, Given) and is_weights(source.text)
    if isinstance(node, Call) and node.name in {"add", "sub", "mul", "div", "pow"}:
        return all(_is_factor(a, kinds) for a in node.args)
    return False


def is_weights(text: str) -> bool:
    """Whether a list is one of weights."""
    return bool(re.search(r"weight|alpha|lambda|coef|^w(s|_)", text, re.IGNORECASE))


def addends(node: Node) -> list[Node]:
    """The terms of a sum."""
    if isinstance(node, Call) and node.name == "add":
        return [p for a in node.args for p in addends(a)]
    if isinstance(node, Call) and node.name == "sub":
        return [*addends(node.args[0]), *(Call("neg", (p,)) for p in addends(node.args[1]))]
    if isinstance(node, Call) and node.name == "sum" and len(node.children) == 1:
        inner = node.args[0]
        if not isinstance(inner, Call | Each) and inner.children:
            return [p for a in inner.children for p in addends(a)]
    return [node]


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    student: Node
    teacher: Node | None
    labels: Node | None
    temperature: Node
    scalar: Node | None = None
    old: Node | None = None
    hot: Node | None = None
    padding: Node | None = None
    smoothing: Node | None = None
    mask: Node | None = None
    second: Node | None = None
    first: tuple[bool, bool] = (True, True)
    """Whether the temperature and the scalar are the first of those that are tried."""


def _match(
    lab: Laboratory, body: Node, weights: list[tuple[Node, int]], sign: int, loop: Loop | None,
    *, several: bool = False,
) -> Term | None:  # fmt: skip
    """The definition that a term is equal to, else one that it is a multiple of."""
    inputs = list(_candidates(lab, body))
    possible = [d for d in _possible(body) if not lab.only or d.key in lab.only]
    best: tuple[tuple[bool, float, int], Term] | None = None
    for number, one in enumerate(inputs):
        for definition in possible:
            if (several and not definition.several) or not _is_worth(definition, one):
                continue
            law = _law(lab, body, definition, one, weights, sign, loop)
            if law is None:
                continue
            cost = abs(math.log(abs(law.constant))) + sum(abs(p) for _, p in law.powers)
            key = (not law.is_one, cost, number)
            if best is None or key < best[0]:
                term = Term(
                    (), body, definition, law, one.student, one.teacher, one.temperature, loop,
                    rank=lab.rank, mean=_is_many(lab, body, loop), labels=one.labels,
                    scalar=one.scalar, old=one.old, hot=one.hot, padding=one.padding,
                    smoothing=one.smoothing, mask=one.mask, second=one.second,
                    dead=side(one.student, lab.roles) != "teacher" and _is_dead(body, one.student),
                )  # fmt: skip
                best = (key, term)
        if best is not None and not best[0][0]:
            break
    return best[1] if best is not None else None


_EXPONENTIAL = frozenset(
    [
        "softmax",
        "log_softmax",
        "cross_entropy",
        "nll_loss",
        "logsumexp",
        "exp",
        "sigmoid",
        "logsigmoid",
        "kl_div",
        "binary_cross_entropy",
        "binary_cross_entropy_with_logits",
    ]
)


def _possible(body: Node) -> list[Definition]:
    """The definitions that are worth trying: those with a softmax only if the term has one."""
    soft = any(isinstance(p, Call) and p.name in _EXPONENTIAL for p in walk(body))
    return [
        d for d in DEFINITIONS if d.key in GENERIC or (d.key in LOGITS or d.key == "jsd") is soft
    ]


def _is_worth(definition: Definition, inputs: _Inputs) -> bool:
    """Whether a definition reads what distinguishes these inputs from those tried before."""
    _, names = tree_of(definition)
    if ("t" in names) is (inputs.teacher is None):
        return False
    if definition.listed is not isinstance(inputs.teacher, Each | Sequence):
        return False
    if ("U" in names) is (inputs.second is None):
        return False
    temperature, scalar = inputs.first
    return (temperature or "T" in names) and (scalar or "beta" in names)


def _is_dead(body: Node, student: Node) -> bool:
    """Whether no gradient reaches the student: every way to it leads through a ``detach``."""
    wanted = leaves(student)
    reached: set[Node] = set()
    pending, live = [body], set()
    while pending:
        part = pending.pop()
        if id(part) in live or (isinstance(part, Call) and part.name in _CUTS):
            continue
        live.add(id(part))
        reached.add(part)
        pending += part.children
    return bool(wanted) and not wanted & reached


_CUTS = frozenset(
    {"detach", "item", "argmax", "argsort", "sign", "eq", "ne", "gt", "ge", "lt", "le"}
)


def _is_many(lab: Laboratory, body: Node, loop: Loop | None) -> bool:
    value = lab.raw(body, lab.base, loop)
    return isinstance(value, Array) and len(value.data) > 1


def _candidates(lab: Laboratory, body: Node) -> Iterator[_Inputs]:
    """What may stand for s, t, y and T: first the names themselves, then what softmaxes read."""
    names = leaves(body)
    own = [g for g in names if lab.kinds.get(g) in {Kind.TENSOR, Kind.OLD_OUTPUT}]
    own.sort(key=lambda g: g.text)
    items: list[Node] = [p for p in walk(body) if isinstance(p, Item) and p.source >= 0
                         and not (isinstance(p.loop.sources[p.source], Given)
                                  and is_weights(p.loop.sources[p.source].text))]  # type: ignore[attr-defined]  # fmt: skip
    softened, temperatures = _softened(body, lab)
    averaged = _averaged(body, lab)
    groups: list[list[Node]] = [[*own, *items], softened, [*_compared(body), *lab.moved.values()]]
    every = [p for p in walk(body) if isinstance(p, Given)]
    label = next((g for g in every if lab.kinds.get(g) in INDICES), None)
    hot = next((g for g in every if lab.kinds.get(g) is Kind.HOT), None)
    options = {k: v for p in walk(body) if isinstance(p, Call) for k, v in p.keywords}
    labels = _label_part(body, label)
    scalars: list[Node | None] = [
        g for g in names if lab.kinds.get(g) is Kind.WEIGHT
    ] or [Constant(0.5)]  # fmt: skip
    old = next(_bounds(body), None)
    mask = _mask_part(body)
    seen: set[tuple[int, int | None, int]] = set()
    yield from _of_two_temperatures(body, lab)
    for group in groups:
        lists = [(s, t) for s in group for t in averaged if t is not s]
        for student, teacher in (*_pairs(lab, group), *lists):
            for number, temperature in enumerate(temperatures):
                key = (id(student), id(teacher) if teacher else None, id(temperature))
                if key in seen:
                    continue
                seen.add(key)
                for place, scalar in enumerate(scalars):
                    yield _Inputs(
                        student, teacher, labels, temperature, scalar, old, hot,
                        options.get("ignore_index"), options.get("label_smoothing"), mask,
                        first=(not number, not place),
                    )  # fmt: skip


def _averaged(body: Node, lab: Laboratory) -> list[Node]:
    """The scores of several teachers whose softmaxes stand in one target, as lists."""
    found: list[Node] = []
    for part in walk(body):
        if isinstance(part, Each):
            inside, _ = _softened(part.body, lab)
            found += [
                Each(part.loop, scores) for scores in inside
                if any(isinstance(p, Item) and p.loop is part.loop for p in walk(scores))
            ]  # fmt: skip
    softened, _ = _softened(body, lab)
    teachers = [s for s in softened if side(s, lab.roles) == "teacher"]
    if len(teachers) > 1 and not found:
        found.append(Sequence(tuple(teachers)))
    return found


def _of_two_temperatures(body: Node, lab: Laboratory) -> Iterator[_Inputs]:
    """A softmax and a log-softmax at different temperatures: the target's and the student's."""
    soft: dict[str, list[tuple[Node, Node]]] = {"softmax": [], "log_softmax": []}
    for part in walk(body):
        if isinstance(part, Call) and part.name in soft and part.args:
            inner = part.args[0]
            if (
                isinstance(inner, Call)
                and inner.name == "div"
                and is_scalar(inner.args[1], lab.kinds)
            ):
                soft[part.name].append((_bare(inner.args[0]), inner.args[1]))
    for (teacher, second), (student, first) in product(soft["softmax"], soft["log_softmax"]):
        if second is not first and not is_same(first, second):
            yield _Inputs(student, teacher, None, first, second=second)


def _pairs(lab: Laboratory, group: list[Node]) -> Iterator[tuple[Node, Node | None]]:
    unique = list({id(n): n for n in group}.values())[:6]
    ranked: list[tuple[int, Node, Node | None]] = []
    for student, teacher in product(unique, unique):
        if student is teacher:
            continue
        sides = (side(student, lab.roles), side(teacher, lab.roles))
        if sides == ("student", "teacher"):
            rank = 0
        elif "teacher" not in sides[:1] and sides[1] != "student":
            rank = 1
        elif sides == ("student", "student"):
            rank = 2
        else:
            continue
        ranked.append((rank, student, teacher))
    ranked.sort(key=lambda r: r[0])
    yield from ((s, t) for _, s, t in ranked)
    for one in unique:
        if side(one, lab.roles) != "teacher":
            yield one, None


def _softened(body: Node, lab: Laboratory) -> tuple[list[Node], list[Node]]:
    """What softmaxes read, without the temperature, and the temperatures."""
    scores: dict[int, Node] = {}
    temperatures: dict[int, Node] = {}
    for part in walk(body):
        if not isinstance(part, Call) or not part.args:
            continue
        inner = part.args[0]
        by_hand = part.name in {"exp", "logsumexp"} and not _has_softmax(inner)
        compares = part.name == "cross_entropy" and isinstance(inner, Call)
        if part.name not in SOFTMAXES and not by_hand and not compares:
            continue
        while isinstance(inner, Call) and inner.name in {"sub", "add"}:
            inner = inner.args[0]
        while isinstance(inner, Call) and inner.name == "detach":
            inner = inner.args[0]
        if isinstance(inner, Call) and inner.name == "div" and is_scalar(inner.args[1], lab.kinds):
            temperatures[id(inner.args[1])] = inner.args[1]
            inner = inner.args[0]
        inner = _bare(inner)
        scores[id(inner)] = inner
        cut = [
            p for p in walk(body) if part.name == "sigmoid" and isinstance(p, Call)
            and p.name == "index" and p.args[0] is part
        ]  # fmt: skip
        for piece in cut:  # a sigmoid does not mind whether it is cut before or after
            moved = lab.moved.setdefault(piece, Call("index", (inner, piece.args[1])))
            scores[id(moved)] = moved
        while isinstance(inner, Call) and inner.name in {"t", "flatten", "view", "reshape", "index",
                                                         "permute", "transpose"}:  # fmt: skip
            inner = inner.args[0]
            if isinstance(inner, Call) and inner.name == "div":
                break
    values = list(temperatures.values())
    constants = {v.value: v for v in values if isinstance(v, Constant)}
    others = [v for v in values if not isinstance(v, Constant)]
    found = [*others, *constants.values()]
    return list(scores.values()), found or [Constant(1.0)]


def _has_softmax(node: Node) -> bool:
    return any(isinstance(p, Call) and p.name in SOFTMAXES for p in walk(node))


def _bare(node: Node) -> Node:
    while isinstance(node, Call) and node.name in {"detach", "identity"}:
        node = node.args[0]
    return node


def _compared(body: Node) -> list[Node]:
    """What losses and differences read."""
    found: list[Node] = []
    for part in walk(body):
        if isinstance(part, Call) and (part.name in _LOSSES or part.name in {"sub", "cdist"}):
            found += [_bare(argument) for argument in part.args[:2]]
    return found


def _label_part(body: Node, label: Given | None) -> Node | None:
    """The labels as the loss reads them: shifted, flattened, selected."""
    for part in walk(body):
        hard = isinstance(part, Call) and part.name in {"cross_entropy", "nll_loss"}
        if isinstance(part, Call) and hard and len(part.args) > 1:
            target = part.args[1]
            if label in leaves(target):
                return target
    return label


def _mask_part(body: Node) -> Node | None:
    """What a sum is multiplied by before it and divided by behind it."""
    for part in walk(body):
        if not isinstance(part, Call) or part.name != "div":
            continue
        above, below = part.args[0], list(walk(part.args[1]))
        if isinstance(above, Call) and above.name == "neg":
            above = above.args[0]
        if not isinstance(above, Call) or above.name != "sum":
            continue
        product = above.args[0]
        if isinstance(product, Call) and product.name == "mul":
            for factor in product.args:
                if any(is_same(factor, p) for p in below):
                    return factor
    return None


def is_same(one: Node, other: Node) -> bool:
    """Whether two parts are written alike: the same operations on the same names."""
    if one is other:
        return True
    if isinstance(one, Constant) and isinstance(other, Constant):
        return bool(one.value == other.value)
    if not isinstance(one, Call) or not isinstance(other, Call) or one.name != other.name:
        return False
    pairs = list(zip(one.children, other.children, strict=False))
    return len(one.children) == len(other.children) and all(is_same(a, b) for a, b in pairs)


def _bounds(body: Node) -> Iterator[Node]:
    for part in walk(body):
        if isinstance(part, Call) and part.name == "slice":
            yield from (a for a in part.args[:2] if not isinstance(a, Constant) or a.value)


def _law(
    lab: Laboratory, body: Node, definition: Definition, inputs: _Inputs,
    weights: list[tuple[Node, int]], sign: int, loop: Loop | None,
) -> Law | None:  # fmt: skip
    base = lab.base

    def ratio(draw: Draw) -> float | None:
        below = _defined(lab, definition, inputs, draw, loop)
        if below is None or not below:
            return None
        try:
            above = lab.number(body, draw, loop)
        except EvaluationError:
            return None
        value = sign * above / below
        return value if math.isfinite(value) and value else None

    first, second = ratio(base), ratio(base.changed(seed=1))
    if first is None or second is None or not _close(first, second):
        return None
    third = ratio(base.changed(seed=2))
    if third is None or not _close(first, third):
        return None
    powers: dict[str, float] = {}
    constant = first
    for name, (size, value) in _SIZES.items():
        if (name == "S" and lab.rank != 3) or (name == "H·W" and lab.rank != 4):
            continue
        changed = ratio(base.changed(**{size: value}))
        if changed is None or changed * first < 0:
            return None
        old = getattr(base, size)
        step = value / old
        if name == "H·W":
            step = value * (value + 1) / (old * (old + 1))
        exact = math.log(changed / first) / math.log(step)
        power = round(exact * 2) / 2
        if abs(exact - power) > 1e-5:
            return None
        if power:
            powers[name] = power
            size_now = old * (old + 1) if name == "H·W" else old
            constant /= size_now**power
    if definition.power is not None and not _is_one(inputs.temperature):
        owed = definition.power - _given_power(lab, weights, inputs.temperature)
        if lab.incremental and definition.key in {"kd", "soft_ce"} and owed == definition.power:
            owed = 0
        own = powers.pop("T", 0.0)
        if own != owed:
            powers["T"] = own - owed
    elif "T" in powers:
        return None
    if not math.isclose(abs(constant), round(abs(constant) * 120) / 120, rel_tol=1e-6):
        return None
    return Law(round(constant, 9), tuple(powers.items()))


def _given_power(lab: Laboratory, weights: list[tuple[Node, int]], temperature: Node) -> int:
    """The power of the temperature among the factors of a term."""
    if isinstance(temperature, Constant):
        numbers = [float(w.value) ** p for w, p in weights if isinstance(w, Constant) and w.value]
        for power in (2, 1):
            for size in range(1, len(numbers) + 1):
                for group in combinations(numbers, size):
                    if math.isclose(math.prod(group), temperature.value**power):
                        return power
        return 2 if may_hold_square(math.prod(numbers), temperature.value) else 0
    parts = list(_factors(temperature))
    if len(parts) > 1:
        powers = {
            sum(p for w, p in weights if w is part or is_same(w, part)) / power
            for part, power in parts
        }
        return int(powers.pop()) if len(powers) == 1 else 0
    return sum(p for w, p in weights if w is temperature or _same_number(lab, w, temperature))


def _same_number(lab: Laboratory, one: Node, other: Node) -> bool:
    if not isinstance(one, Given) or lab.kinds.get(one) is not Kind.TEMPERATURE:
        return False
    return isinstance(other, Given) and one.text == other.text


_KEEPS = frozenset(
    [
        "index",
        "view",
        "reshape",
        "flatten",
        "t",
        "permute",
        "transpose",
        "squeeze",
        "detach",
        "identity",
    ]
)


def _is_normalised(node: Node) -> bool:
    """Whether a part is probabilities already."""
    while isinstance(node, Call) and node.name in _KEEPS and node.args:
        node = node.args[0]
    return isinstance(node, Call) and node.name in {"softmax", "sigmoid", "normalize", "one_hot"}


def _is_scaled(node: Node, lab: Laboratory) -> bool:
    """Whether a part is divided or multiplied by a number: its temperature must be told apart."""
    while isinstance(node, Call) and node.name in _KEEPS and node.args:
        node = node.args[0]
    return (
        isinstance(node, Call)
        and node.name in {"div", "mul"}
        and any(is_scalar(a, lab.kinds) for a in node.args)
    )


def _is_mixed(lab: Laboratory, inputs: _Inputs) -> bool:
    """Whether both sides are made of one tensor: a mixture is no model's output."""
    if inputs.teacher is None:
        return False
    shared = leaves(inputs.student) & leaves(inputs.teacher)
    return any(lab.kinds.get(g) is Kind.TENSOR for g in shared)


def _are_told(lab: Laboratory, inputs: _Inputs) -> bool:
    """Whether it is known who is the student and who the teacher."""
    if inputs.teacher is None:
        return False
    return (side(inputs.student, lab.roles), side(inputs.teacher, lab.roles)) == (
        "student", "teacher",
    )  # fmt: skip


def _is_one(node: Node) -> bool:
    return isinstance(node, Constant) and node.value == 1


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=CLOSE)


def _defined(
    lab: Laboratory, definition: Definition, inputs: _Inputs, draw: Draw, loop: Loop | None
) -> float | None:
    key = (definition.key, id(inputs.student), id(inputs.teacher), id(inputs.labels),
           id(inputs.temperature), id(inputs.second), id(inputs.scalar), draw,
           loop.number if loop else 0)  # fmt: skip
    if key not in lab._defined:
        try:
            lab._defined[key] = _evaluate(lab, definition, inputs, draw, loop)
        except EvaluationError:
            lab._defined[key] = None
    return lab._defined[key]


def _evaluate(
    lab: Laboratory, definition: Definition, inputs: _Inputs, draw: Draw, loop: Loop | None
) -> float | None:
    tree, names = tree_of(definition)
    if definition.key in LOGITS and any(
        n is not None and _is_normalised(n) for n in (inputs.student, inputs.teacher)
    ):
        return None
    if definition.key in LOGITS and _is_mixed(lab, inputs):
        return None
    if definition.power is not None and any(
        n is not None and _is_scaled(n, lab) for n in (inputs.student, inputs.teacher)
    ):
        return None
    if definition.key.startswith("reverse_kl") and not _are_told(lab, inputs):
        return None
    if definition.hard and inputs.labels is None and inputs.hot is None:
        return None
    given = {
        "s": inputs.student, "t": inputs.teacher, "y": inputs.labels, "T": inputs.temperature,
        "beta": inputs.scalar, "k": inputs.old, "h": inputs.hot,
        "pad": inputs.padding, "eps": inputs.smoothing, "m": inputs.mask, "U": inputs.second,
    }  # fmt: skip
    if "t" not in names and inputs.teacher is not None:
        return None
    binding: dict[Given, object] = {}
    for name, leaf in names.items():
        if name == "axis":
            continue
        node = given[name]
        if node is None:
            return None
        binding[leaf] = lab.raw(node, draw, loop)
    student = binding[names["s"]]
    if not isinstance(student, Array) or student.rank not in definition.ranks:
        return None
    teacher = binding.get(names["t"]) if "t" in names else None
    if definition.narrow:
        if not isinstance(teacher, Array) or binding[names["k"]] != teacher.shape[-1]:
            return None
        if teacher.shape[:-1] != student.shape[:-1]:
            return None
        value = Evaluator(binding)(tree)
        return float(value.data[0]) if isinstance(value, Array) and len(value.data) == 1 else None
    teachers = teacher if definition.listed and isinstance(teacher, list) else [teacher]
    if "t" in names and any(not isinstance(t, Array) or t.shape != student.shape for t in teachers):
        return None
    if "axis" in names:
        binding[names["axis"]] = 1 if student.rank == 4 else student.rank - 1
    value = Evaluator(binding)(tree)
    return float(value.data[0]) if isinstance(value, Array) and len(value.data) == 1 else None


def laboratory(
    node: Node, roles: Mapping[Given, Told], rank: int, *, incremental: bool = False
) -> Laboratory:
    """A formula with numbers for its names.

    Where it cannot be evaluated, the teacher may have the old classes alone.
    """
    kinds = kinds_of([node])
    lab = Laboratory(node, kinds, roles, rank, incremental)
    if lab.works() or Kind.OLD_CLASSES not in kinds.values():
        return lab
    narrow = {
        g: Kind.OLD_OUTPUT if k is Kind.TENSOR and g in roles and roles[g].role == "teacher" else k
        for g, k in kinds.items()
    }
    other = Laboratory(node, narrow, roles, rank, incremental)
    return other if other.works() else lab
