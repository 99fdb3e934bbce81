"""Scores where a binary or a soft cross-entropy wants probabilities, in PyTorch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.roles import side
from didact.check.explain.formula.tree import Call, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding, live
from didact.check.explain.mistakes._softmaxes import call_around
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {
    "KE190": ("CE-TARGET-RAW",),
    "KE191": ("BCE-INPUT-RAW",),
}


def in_formulas(look: Look) -> Iterator[Finding]:
    """Cross-entropy by cross-entropy."""
    if not look.is_torch or "CE-TARGET-RAW" in look.known:
        return
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or len(part.args) < 2:
                continue
            node = call_around(look, part) or loss.entry.node
            if part.name in _TARGETS and _is_raw(look, part.args[1]):
                function = _TARGETS[part.name]
                fix = _squashed(look, node, part.args[1], function)
                yield finding("KE190", Severity.ERROR, node, fix, function=function)
            if part.name == "binary_cross_entropy" and _is_called_logits(look, part.args[0]):
                yield finding("KE191", Severity.ERROR, node, _with_logits(node))


_TARGETS = {
    "cross_entropy": "softmax",
    "binary_cross_entropy_with_logits": "sigmoid",
    "binary_cross_entropy": "sigmoid",
}


def _is_raw(look: Look, node: Node) -> bool:
    """The teacher's scores, by name or behind a temperature alone."""
    node = live(node)
    divided = isinstance(node, Call) and node.name == "div"
    while isinstance(node, Call) and node.name in {"div", "detach", "identity"}:
        node = node.args[0]
    if not isinstance(node, Given):
        return False
    whose = side(node, look.judged.roles)
    text = f"{node.text} {look.judged.tracer.labels.get(node, '')}".lower()
    return "logit" in text if whose != "teacher" else divided or "logit" in text


def _is_called_logits(look: Look, node: Node) -> bool:
    node = live(node)
    while isinstance(node, Call) and node.name in {"div", "detach", "identity", "index", "view"}:
        node = node.args[0]
    if not isinstance(node, Given):
        return False
    return "logit" in f"{node.text} {look.judged.tracer.labels.get(node, '')}".lower()


def _squashed(look: Look, node: ast.AST, target: Node, function: str) -> Fix | None:
    """The target as probabilities."""
    if not isinstance(node, ast.Call):
        return None
    for given in [*node.args, *(k.value for k in node.keywords)]:
        value = look.judged.tracer.values.get(id(given))
        if isinstance(value, Node) and live(value) is live(target):
            text = ast.unparse(given)
            made = (
                f"torch.sigmoid({text})" if function == "sigmoid" else f"F.softmax({text}, dim=1)"
            )
            return Fix((Edit(span(given), made),), "unsafe", Text("Probabilities", "改为概率"))
    return None


def _with_logits(node: ast.AST) -> Fix | None:
    """The function that takes the sigmoid itself."""
    if not isinstance(node, ast.Call) or last_name(node.func) != "binary_cross_entropy":
        return None
    edit = Edit(span(node.func), f"{ast.unparse(node.func)}_with_logits")
    return Fix((edit,), "unsafe", Text("Pass logits", "传入 logits"))
