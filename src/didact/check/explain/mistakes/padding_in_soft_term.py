"""Padding that the hard term leaves out and the soft term does not."""

from __future__ import annotations

from collections.abc import Iterator

from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Given, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Finding, Severity

CODES = {"KE112": ("PAD-UNMASKED",)}


def _unmasked(judged: Judged) -> Iterator[Finding]:
    """Padding that the hard term leaves out and the soft term does not."""
    for loss in judged.losses:
        hard = [t for t in loss.terms if t.definition and t.definition.key == "ce_padded"]
        named = any(isinstance(t.padding, Given) and "pad" in t.padding.text.lower() for t in hard)
        if judged.ranks.order[0] == 4 or not (named or judged.ranks.order[0] == 3):
            continue  # the unlabelled pixels of an image are no padding: the teacher knows them
        for term in loss.terms:
            soft = term.definition is not None and term.definition.key in {"kd", "soft_ce"}
            masked = any(isinstance(p, Call) and p.name in {"ne", "eq", "masked_fill", "where"}
                         for p in walk(term.body))  # fmt: skip
            names = {judged.kinds.get(g) for g in leaves(term.body)}
            if hard and soft and not masked and "mask" not in {str(n) for n in names}:
                yield finding("KE112", Severity.WARNING, loss.entry.node)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has found it."""
    if "PAD-UNMASKED" not in look.known:
        yield from _unmasked(look.judged)
