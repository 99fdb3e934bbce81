"""The definition that a term is equal to, or a multiple of."""

from __future__ import annotations

import math

from didact.check.explain.formula.arrays import Array
from didact.check.explain.formula.definitions import (
    DEFINITIONS,
    GENERIC,
    LOGITS,
    Definition,
    tree_of,
    without_square,
)
from didact.check.explain.formula.roles import leaves, side
from didact.check.explain.formula.tree import (
    Call,
    Each,
    Loop,
    Node,
    Sequence,
    walk,
)
from didact.check.explain.formula.verdict.candidates import Inputs, candidates
from didact.check.explain.formula.verdict.laboratory import Laboratory
from didact.check.explain.formula.verdict.ratio import law_of, spares_square
from didact.check.explain.formula.verdict.term import Term


def match(
    lab: Laboratory, body: Node, weights: list[tuple[Node, int]], sign: int, loop: Loop | None,
    *, several: bool = False,
) -> Term | None:  # fmt: skip
    """The definition that a term is equal to, else one that it is a multiple of."""
    inputs = list(candidates(lab, body))
    possible = [d for d in _possible(body) if not lab.only or d.key in lab.only]
    best: tuple[tuple[bool, float, int], Term] | None = None
    for number, one in enumerate(inputs):
        for definition in possible:
            if (several and not definition.several) or not _is_worth(definition, one):
                continue
            law = law_of(lab, body, definition, one, weights, sign, loop)
            if law is None:
                continue
            cost = abs(math.log(abs(law.constant))) + sum(abs(p) for _, p in law.powers)
            key = (not law.is_one, cost, number)
            if best is None or key < best[0]:
                spared = law.is_one and spares_square(lab, definition, one, weights)
                term = Term(
                    (), body, without_square(definition) if spared else definition, law,
                    one.student, one.teacher, one.temperature, loop,
                    rank=lab.rank, mean=_is_many(lab, body, loop), labels=one.labels,
                    scalar=one.scalar, old=one.old, hot=one.hot, padding=one.padding,
                    smoothing=one.smoothing, mask=one.mask, second=one.second,
                    centre=one.centre,
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


def _is_worth(definition: Definition, inputs: Inputs) -> bool:
    """Whether a definition reads what distinguishes these inputs from those tried before."""
    _, names = tree_of(definition)
    if ("t" in names) is (inputs.teacher is None):
        return False
    if definition.listed is not isinstance(inputs.teacher, Each | Sequence):
        return False
    if ("U" in names) is (inputs.second is None) or ("c" in names) is (inputs.centre is None):
        return False
    if definition.key == "dino_uncentred" and getattr(inputs.teacher, "name", "") == "sub":
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
