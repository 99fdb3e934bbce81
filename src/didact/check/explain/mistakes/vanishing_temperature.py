"""A temperature that a schedule brings down to 0."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE183": ("T-ZERO",)}
_STEP = re.compile(r"(^|[._])(epoch|ep|step|it|iter|iteration|global_step|cur_epoch|i|e)$", re.I)


def in_formulas(look: Look) -> Iterator[Finding]:
    """What scores are divided by before a softmax."""
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name not in {"softmax", "log_softmax"}:
                continue
            scores = part.args[0]
            if not isinstance(scores, Call) or scores.name != "div" or len(scores.args) != 2:
                continue
            end = _end(scores.args[1])
            if end is None or _is_never_reached(look, *end):
                continue
            node = look.places.get(scores.args[1])
            step, last = (look.judged.tracer.labels.get(g, g.text) for g in end)
            fix = _kept(node) if look.is_torch else None
            yield finding("KE183", Severity.WARNING, node or loss.entry.node, fix, step=step,
                          last=last)  # fmt: skip
            return


def _end(node: Node) -> tuple[Given, Given] | None:
    """The step and the number of steps at which a product is 0."""
    if not isinstance(node, Call) or node.name not in {"mul", "div", "sub"}:
        return None
    if node.name == "sub" and len(node.args) == 2:
        one, rest = node.args
        if isinstance(one, Constant) and one.value == 1 and isinstance(rest, Call):
            return _ratio(rest)
        if isinstance(one, Given) and isinstance(rest, Given) and _STEP.search(rest.text):
            return rest, one
        return None
    return next((e for a in node.args[: 2 if node.name == "mul" else 1] if (e := _end(a))), None)


def _ratio(node: Call) -> tuple[Given, Given] | None:
    if node.name != "div" or len(node.args) != 2:
        return None
    step, last = node.args
    if isinstance(step, Given) and isinstance(last, Given) and _STEP.search(step.text):
        return step, last
    return None


def _is_never_reached(look: Look, step: Given, last: Given) -> bool:
    """Whether a loop shows that the step stays below its end."""
    for node in nodes_of(look.judged.tracer.tree):
        counts = (
            isinstance(node, ast.For)
            and ast.unparse(node.target) == step.text
            and isinstance(node.iter, ast.Call)
            and last_name(node.iter.func) == "range"
        )
        if counts and isinstance(node, ast.For) and isinstance(node.iter, ast.Call):
            return ast.unparse(node.iter.args[-1]) == last.text
    return False


def _kept(node: ast.AST | None) -> Fix | None:
    if not isinstance(node, ast.BinOp):
        return None
    edit = Edit(span(node), f"max(1.0, {ast.unparse(node)})")
    return Fix((edit,), "unsafe", Text("Keep it at 1 or more", "让它不小于 1"))
