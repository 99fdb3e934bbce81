"""A teacher in training mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE120": ("TEACHER-TRAIN-MODE", "BN-DRIFT")}


def _training_teacher(judged: Judged) -> Iterator[Finding]:
    """``teacher.train()`` where the teacher's output is a target."""
    callees = {
        g.text.split("(", 1)[0] for g, told in judged.roles.items()
        if told.role == "teacher" and g.inputs
    }  # fmt: skip
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        off = node.args and isinstance(node.args[0], ast.Constant) and not node.args[0].value
        owner = ast.unparse(node.func.value)
        if node.func.attr == "train" and owner in callees and not off:
            fix = Fix((Edit(span(node), f"{owner}.eval()"),), "unsafe",
                      Text("Put it in eval mode", "切到 eval 模式"))  # fmt: skip
            yield finding("KE120", Severity.WARNING, node, fix, name=owner)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has found it."""
    if "TEACHER-TRAIN-MODE" not in look.known:
        yield from _training_teacher(look.judged)
