"""A term that is minus its definition."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.definitions import GENERIC
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.tree import Call, walk
from didact.check.explain.formula.verdict import Term
from didact.check.explain.mistakes._look import Look, finding, place
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE177": ("SIGN-MISSING",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """Term by term."""
    if "SIGN-MISSING" in look.known:
        return
    for loss in look.judged.losses:
        for term in loss.terms:
            if term.law is None or term.law.constant >= 0 or term.definition is None:
                continue
            if term.definition.key not in GENERIC and term.wrong_sign is None:
                fix, node = _fix(look, loss, term)
                yield finding("KE177", Severity.ERROR, node, fix, name=term.definition.name)


def _fix(look: Look, loss: Loss, term: Term) -> tuple[Fix | None, ast.AST]:
    """The difference of the logarithms turned, else a minus in front."""
    message = Text("Change the sign", "改变符号")
    for part in walk(term.body):
        node = look.places.get(part)
        if isinstance(part, Call) and part.name == "sub" and isinstance(node, ast.BinOp):
            logs = all(isinstance(a, Call) and a.name in {"log", "log_softmax"} for a in part.args)
            if logs:
                edits = (Edit(span(node.left), ast.unparse(node.right)),
                         Edit(span(node.right), ast.unparse(node.left)))  # fmt: skip
                return Fix(edits, "unsafe", message), node
    node = look.places.get(term.body) or place(term.body, loss, look.places)
    if isinstance(node, ast.Call):
        return Fix((Edit(span(node), f"-{ast.unparse(node)}"),), "unsafe", message), node
    return None, node
