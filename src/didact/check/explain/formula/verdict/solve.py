"""A formula as terms, each matched with a definition if there is one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations

from didact.check.explain.formula.arrays import EvaluationError
from didact.check.explain.formula.definitions import RANKING
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import (
    Call,
    Constant,
    Each,
    Given,
    Item,
    Loop,
    Node,
    walk,
)
from didact.check.explain.formula.verdict.factors import (
    Weights,
    addends,
    averaged,
    is_count,
    spread,
    stripped,
    summed,
)
from didact.check.explain.formula.verdict.laboratory import Laboratory
from didact.check.explain.formula.verdict.law import Law
from didact.check.explain.formula.verdict.match import match
from didact.check.explain.formula.verdict.penalty import penalty
from didact.check.explain.formula.verdict.term import Term


def solve(
    lab: Laboratory, node: Node, loop: Loop | None = None, outer: Weights | None = None
) -> list[Term]:
    """The terms of a formula, each matched with a definition if there is one."""
    weights, body, sign, cut = stripped(node, lab.kinds)
    parts = addends(body)
    if len(parts) > 1 and (taken := _number_in_front(lab, parts)) is not None:
        number, body = taken
        weights, parts = [*weights, *number], addends(body)
    factors = [*(outer or ()), *weights]
    hidden = len(parts) > 1 and any(_is_nothing(lab, p, loop) for p in parts)
    found = None if hidden else match(lab, body, factors, sign, loop)
    if found is not None:
        return [_with_its_number(_divided_by_count(_with(found, weights, cut)))]
    if len(parts) > 1:
        return [_with(t, weights, cut) for t in _solve_sum(lab, parts, sign, loop, factors)]
    told = _told_by_form(lab, body, sign)
    if told is not None:
        return [_with(told, weights, cut)]
    if isinstance(body, Each) and loop is None:
        return [_with(t, weights, cut) for t in solve(lab, body.body, body.loop, factors)]
    parts = spread(body)
    if parts:
        apart = _solve_sum(lab, parts, sign, loop, factors)
        if any(t.status != "unknown" for t in apart):
            return [_with(t, weights, cut) for t in apart]
    inner = averaged(body)
    if inner is not None:
        weights = [*weights, (Call("length", (inner.loop.sources[0],)), -1)]
    inner = inner or summed(body)
    if inner is not None and loop is None:
        terms = solve(lab, inner.body, inner.loop, factors)
        return [_over(lab, t, inner.loop, weights, sign, cut) for t in terms]
    if sign < 0:
        body = Call("neg", (body,))
    return [Term(tuple(weights), body, cut=cut, rank=lab.rank, over=loop)]


def _number_in_front(lab: Laboratory, parts: list[Node]) -> tuple[Weights, Node] | None:
    """The numbers that every addend is multiplied with, and the sum without them and without 0."""
    left = [stripped(p, lab.kinds) for p in parts if not _is_zero(p)]
    if not left or any(cut for *_, cut in left):
        return None
    values = [Counter(w.value for w, p in found if isinstance(w, Constant) and p == 1)
              for found, *_ in left]  # fmt: skip
    shared = values[0]
    for other in values[1:]:
        shared &= other
    if not shared and len(left) == len(parts):
        return None
    total: Node | None = None
    for found, body, sign, _ in left:
        owed = Counter(shared)
        for weight, power in found:
            if isinstance(weight, Constant) and power == 1 and owed[weight.value]:
                owed[weight.value] -= 1
            else:
                body = Call("mul" if power > 0 else "div", (body, _power_of(weight, abs(power))))
        body = Call("neg", (body,)) if sign < 0 else body
        total = body if total is None else Call("add", (total, body))
    assert total is not None
    return [(Constant(v), 1) for v in shared.elements()], total


def _power_of(weight: Node, power: int) -> Node:
    return weight if power == 1 else Call("pow", (weight, Constant(power)))


def by_form(lab: Laboratory, node: Node) -> Term | None:
    """A term that cannot be evaluated, where its form alone tells what it is."""
    weights, body, sign, cut = stripped(node, lab.kinds)
    told = _told_by_form(lab, body, sign)
    return _with(told, weights, cut) if told is not None else None


def _told_by_form(lab: Laboratory, body: Node, sign: int) -> Term | None:
    """A penalty on parameters, or a ranking: no numbers are needed to see what it is."""
    law = Law(float(sign))
    found = penalty(body, lab.kinds)
    if found is not None:
        return Term(found.weights, body, found.definition, law, found.parameters, found.old,
                    rank=lab.rank)  # fmt: skip
    if isinstance(body, Call) and body.name == "margin_ranking_loss" and _is_of_ones(body):
        return Term((), body, RANKING, law, body.args[0], rank=lab.rank)
    return None


def _is_of_ones(ranking: Call) -> bool:
    """Whether the first of two scores is to be the larger one: the target is 1 throughout."""
    target = ranking.args[2] if len(ranking.args) > 2 else None
    while isinstance(target, Call) and target.name in {"identity", "floating", "detach"}:
        target = target.args[0]
    return isinstance(target, Call) and target.name in {"ones", "ones_like"}


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
        weights, body, inner_sign, cut = stripped(total, lab.kinds)
        found = match(lab, body, weights, sign * inner_sign, loop, several=True)
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


def _with_its_number(term: Term) -> Term:
    """A term of which a number of its definition stands in front: ``0.5 * (a + b)`` of JSD."""
    numbers = [w for w in term.weights if isinstance(w[0], Constant)]
    if term.law is None or term.law.powers or term.law.is_one or not numbers:
        return term
    whole = term.law.constant
    for factor, power in numbers:
        whole *= float(factor.value) ** power  # type: ignore[attr-defined]
    if not Law(whole).is_one:
        return term
    own = tuple(w for w in term.weights if w not in numbers)
    return replace(term, weights=own, law=Law(1.0))


def _divided_by_count(term: Term) -> Term:
    """A sum over teachers in which the division by their number stands in front of the term."""
    law = term.law
    loops = [part.loop for part in walk(term.body) if isinstance(part, Each)]
    through = {part for loop in loops for source in loop.sources for part in walk(source)}
    counts = [w for w in term.weights if is_count(w[0]) and through & set(walk(w[0]))]
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
        counts = sum(p for w, p in (*weights, *term.weights) if _counts(w, loop))
        powers = dict(law.powers)
        if not weighted:
            powers["N"] = powers.get("N", 0.0) + 1.0 + counts
        law = Law(law.constant * sign, tuple((n, p) for n, p in powers.items() if p))
    elif law is not None:
        law = Law(law.constant * sign, law.powers)
    own = (w for w in weights if not _counts(w[0], loop))
    return replace(
        term, weights=(*own, *term.weights), law=law, over=loop, cut=term.cut or cut, rank=lab.rank
    )


def _counts(node: Node, loop: Loop) -> bool:
    """Whether a number is the length of what a loop runs over."""
    if not is_count(node):
        return False
    through = {part for source in loop.sources for part in walk(source)}
    return any(p in through or (isinstance(p, Each) and p.loop is loop) for p in walk(node))


def _is_paired(term: Term, loop: Loop) -> bool:
    """Whether the student's side goes through the loop as well: pairs of layers, no teachers."""
    student = term.student
    if student is None:
        return False
    sources = {p for source in loop.sources for p in walk(source)}
    return bool(leaves(student) & sources) or any(
        isinstance(p, Item) and p.loop is loop for p in walk(student)
    )
