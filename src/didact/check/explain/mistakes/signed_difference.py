"""A difference without its square or absolute value."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.roles import side
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.mistakes._look import Look
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE144": ("SIGNED-DIFFERENCE",)}


def _signed_differences(
    judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]
) -> Iterator[Finding]:
    """The mean of ``student − teacher``: positive and negative differences cancel."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name not in {"mean", "sum"} or not part.args:
            continue
        inner = part.args[0]
        if not isinstance(inner, Call) or inner.name != "sub" or len(part.children) > 1:
            continue
        sides = {side(a, judged.roles) for a in inner.args}
        logs = any(isinstance(p, Call) and p.name in {"log_softmax", "log"} for p in walk(inner))
        if sides != {"student", "teacher"} or logs:
            continue
        node = places.get(part) or loss.entry.node
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        fix = None
        if method and not node.args:  # type: ignore[attr-defined]
            owner = node.func.value  # type: ignore[attr-defined]
            text = ast.unparse(owner)
            text = f"({text})" if isinstance(owner, ast.BinOp) else text
            edit = Edit(span(node), f"{text}.pow(2).{node.func.attr}()")  # type: ignore[attr-defined]
            fix = Fix((edit,), "unsafe", Text("Square them", "取平方"))
        yield Finding("KE144", Severity.ERROR, span(node), OWN["KE144"], fix)
        return


def in_formulas(look: Look) -> Iterator[Finding]:
    """Loss by loss."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        yield from _signed_differences(look.judged, loss, look.places)
