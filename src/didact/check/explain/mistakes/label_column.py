"""Labels with one dimension too many, where the error message says so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_label
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE162": ("LABELS-COLUMN",)}
MESSAGE = re.compile(r"0D or 1D target tensor expected|multi-target not supported")


def in_formulas(look: Look) -> Iterator[Finding]:
    """``y.unsqueeze(1)`` or ``y.view(-1, 1)`` beside the message of cross_entropy."""
    if not look.is_torch or not MESSAGE.search(look.words):
        return
    for node in nodes_of(look.judged.tracer.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = ast.unparse(node.func.value)
        shape = ast.unparse(node)[len(name) :]
        column = re.fullmatch(r"\.unsqueeze\((dim=)?-?1\)|\.(view|reshape)\(-1, 1\)", shape)
        if column and is_label(name):
            fix = Fix(
                (Edit(span(node), name),), "unsafe", Text("The labels as they are", "直接用标签")
            )
            shown = ast.unparse(node)
            yield finding("KE162", Severity.ERROR, node, fix, shown=shown, name=name)
            return
