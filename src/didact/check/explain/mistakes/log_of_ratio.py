"""The logarithm of a ratio of two softmaxes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.mistakes._softmaxes import log_text
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE176": ("LOG-OF-SOFTMAX",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """In any framework."""
    done: set[Node] = set()
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name != "log" or part in done:
                continue
            ratio = part.args[0]
            if not isinstance(ratio, Call) or ratio.name != "div" or len(ratio.args) != 2:
                continue
            if all(isinstance(a, Call) and a.name == "softmax" for a in ratio.args):
                done.add(part)
                node = look.places.get(part) or loss.entry.node
                yield finding("KE176", Severity.WARNING, node, _fix(look, node))


def _fix(look: Look, node: ast.AST) -> Fix | None:
    """The difference of the two logarithms."""
    if not isinstance(node, ast.Call):
        return None
    inner = node.args[0] if node.args else getattr(node.func, "value", None)
    if not isinstance(inner, ast.BinOp):
        return None
    texts = [log_text(look.judged.tracer.tree, side) for side in (inner.left, inner.right)]
    if None in texts:
        return None
    edit = Edit(span(node), f"({texts[0]} - {texts[1]})")
    return Fix((edit,), "unsafe", Text("Subtract the logarithms", "改为对数相减"))
