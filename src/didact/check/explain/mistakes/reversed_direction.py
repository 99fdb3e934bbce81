"""A divergence in the other direction than the one that is meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.mistakes._look import Look, finding, place
from didact.check.explain.mistakes._softmaxes import log_text, softmax_text
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE185": ("SWAPPED",), "KE186": ("NAMED-REVERSE",)}
_MEANT = re.compile(
    r"revers|minillm|(^|[^a-z])[rf]?_?rkl|jsd?\b|jensen|symm|mixture|mutual|polic|skew|gkd|反向",
    re.IGNORECASE,
)
_NAMED = re.compile(r"revers\w*_?kl|kl_?revers|(^|_)rkl(_|$)", re.IGNORECASE)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Term by term."""
    if not look.is_torch or "SWAPPED" in look.known:
        return
    meant = bool(_MEANT.search(look.words))
    keys = [t.definition.key for t in look.judged.terms if t.definition is not None]
    for loss in look.judged.losses:
        for term in loss.terms:
            key = term.definition.key if term.definition is not None else ""
            if key == "reverse_kl" and not meant and _is_between(look, term):
                node = place(term.body, loss, look.places)
                yield finding("KE185", Severity.WARNING, node, _fix(look, term))
            elif key == "kd" and "reverse_kl" not in keys and _is_called_reverse(look, loss):
                node = place(term.body, loss, look.places)
                fix = _fix(look, term)
                yield finding("KE186", Severity.WARNING, node, fix)


def _is_between(look: Look, term: Term) -> bool:
    """Whether the sides are what the labels teach and a teacher, not two peers."""
    hard = any(t.definition is not None and t.definition.hard for t in look.judged.terms)
    named = any(told.role == "teacher" for told in look.judged.roles.values())
    return hard and named and term.law is not None


def _is_called_reverse(look: Look, loss: Loss) -> bool:
    """Whether the function says so in its name."""
    for node in nodes_of(look.judged.tracer.tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and _NAMED.search(node.name):
            return any(n is loss.entry.node for n in nodes_of(node))
    return False


def _fix(look: Look, term: Term) -> Fix | None:
    """Both sides exchanged, each with the softmax that belongs to its place."""
    tree = look.judged.tracer.tree
    for part in walk(term.body):
        node = look.places.get(part)
        if not isinstance(part, Call) or part.name != "kl_div" or not isinstance(node, ast.Call):
            continue
        log_target = any(k.arg == "log_target" for k in node.keywords)
        if len(node.args) < 2 or log_target:
            return None
        first, second = node.args[:2]
        texts = log_text(tree, second), softmax_text(tree, first)
        if None in texts:
            return None
        edits = (Edit(span(first), str(texts[0])), Edit(span(second), str(texts[1])))
        return Fix(edits, "unsafe", Text("Exchange both sides", "交换两侧"))
    return None
