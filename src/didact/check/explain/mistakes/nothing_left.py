"""A term that is zero whatever is put in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact.check.explain.formula.arrays import EvaluationError
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.formula.verdict import laboratory
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Finding, Severity

CODES = {"KE141": ("TERM-ZERO",)}


def _nothing(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """A term that is 0 for every draw."""
    for branch in loss.branches:
        for term in branch.terms:
            if isinstance(term.body, Constant | Given) or len(branch.terms) < 2:
                continue
            if not any(isinstance(p, Call) and p.name == "kl_div" for p in walk(term.body)):
                continue
            if not all(g in judged.roles for g in walk(term.body) if isinstance(g, Given)):
                continue
            lab = laboratory(term.body, judged.roles, branch.rank, incremental=judged.incremental)
            try:
                values = [
                    lab.number(term.body, lab.base.changed(seed=seed), term.over) for seed in (0, 1)
                ]
            except EvaluationError:
                continue
            if all(abs(value) < 1e-12 for value in values):
                node = places.get(term.body) or loss.entry.node
                yield finding("KE141", Severity.ERROR, node, None)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has said why."""
    if not look.is_torch or {
        "MASK-SIGN", "SELF-TARGET", "STUDENT-UNUSED", "ALIAS-TEACHER",
    } & look.known:  # fmt: skip
        return
    for loss in look.judged.losses:
        yield from _nothing(look.judged, loss, look.places)
