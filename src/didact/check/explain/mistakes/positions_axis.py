"""A softmax over positions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged, dimensions
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE131": ("DIM-SEQ",)}
_AXES = {2: Text("the height", "高"), 3: Text("the width", "宽")}
"""Of four dimensions."""


def _axes(judged: Judged) -> Iterator[Finding]:
    """A softmax over the height or the width of maps whose shape is told."""
    if not judged.ranks.certain or judged.ranks.order[0] != 4:
        return
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Call):
            continue
        value = judged.tracer.values.get(id(node))
        if not isinstance(value, Call) or value.name not in {"softmax", "log_softmax"}:
            continue
        inner = value.args[0]
        while isinstance(inner, Call) and inner.name in {"div", "detach", "identity", "mul"}:
            inner = inner.args[0]
        dim = value.keyword("dim") or (value.args[1] if len(value.args) > 1 else None)
        if not isinstance(inner, Given) or not isinstance(dim, Constant):
            continue
        axis = dim.value % 4 if isinstance(dim.value, int) else 1
        what = _AXES.get(axis)
        if what is None:
            continue
        place = next((k.value for k in node.keywords if k.arg == "dim"), None)
        place = place or (node.args[-1] if len(node.args) > 1 else None)
        fix = None
        if place is not None:
            fix = Fix((Edit(span(place), "1"),), "unsafe", Text("The classes", "类别维"))
        yield finding("KE131", Severity.ERROR, node, fix, shape=dimensions(4), dim=dim.value,
                       what=what)  # fmt: skip


def in_formulas(look: Look) -> Iterator[Finding]:
    """All are mended or none."""
    if not look.is_torch or {"DIM-SEQ", "DIM-0"} & look.known:
        return
    found = list(_axes(look.judged))
    edits = tuple(e for f in found if f.fix is not None for e in f.fix.edits)
    for one in found:
        fix = None if one.fix is None else Fix(edits, one.fix.safety, one.fix.message)
        yield Finding(one.code, one.severity, one.span, one.message, fix)
