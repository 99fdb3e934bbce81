"""Padding that no term leaves out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, walk
from didact.check.explain.mistakes._look import Look
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Finding, Severity

CODES = {"KE146": ("PAD-UNMASKED",)}


def _unmasked_padding(judged: Judged) -> Iterator[Finding]:
    """A mean over all positions where the models are given an attention mask."""
    text = ast.unparse(judged.tracer.tree)
    if "attention_mask=attention_mask" not in text or judged.ranks.order[0] != 3:
        return
    for loss in judged.losses:
        for term in loss.terms:
            soft = term.definition is not None and term.definition.key in {"kd", "soft_ce"}
            if not soft or term.rank != 3 or term.status != "equal":
                continue
            masked = any("mask" in g.text and not g.inputs for g in leaves(term.body))
            chosen = any(isinstance(p, Call) and p.name in {"masked_select", "ne", "where"}
                         for p in walk(term.body))  # fmt: skip
            if not masked and not chosen:
                yield Finding("KE146", Severity.WARNING, span(loss.entry.node), OWN["KE146"])
                return


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has found it."""
    if look.is_torch and not {"PAD-UNMASKED", "MASKED-MEAN"} & look.known:
        yield from _unmasked_padding(look.judged)
