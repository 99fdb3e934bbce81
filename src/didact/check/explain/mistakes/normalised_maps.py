"""Maps normalised along a wrong dimension."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Node
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE138": ("DIM-NORM",)}
_AXES = {2: Text("the height", "高"), 3: Text("the width", "宽")}
"""Of the four dimensions of maps."""


def _normalised_maps(judged: Judged) -> Iterator[Finding]:
    """``F.normalize(x.pow(2).mean(1), dim=1)`` of maps: each column is normalised, not the map."""
    if not judged.ranks.certain or judged.ranks.order[0] != 4:
        return
    for node in nodes_of(judged.tracer.tree):
        value = judged.tracer.values.get(id(node)) if isinstance(node, ast.Call) else None
        if not isinstance(value, Call) or value.name != "normalize" or not value.args:
            continue
        assert isinstance(node, ast.Call)
        dim = value.keyword("dim") or (value.args[2] if len(value.args) > 2 else Constant(1))
        pooled = value.args[0]
        over = pooled.keyword("dim") if isinstance(pooled, Call) else None
        if over is None and isinstance(pooled, Call) and len(pooled.args) > 1:
            over = pooled.args[1]
        reduced = isinstance(pooled, Call) and pooled.name in {"mean", "sum"}
        kept = isinstance(pooled, Call) and pooled.keyword("keepdim") is not None
        if not reduced or kept or not _is_number(over, {1}) or not _is_number(dim, {1, 2, -1, -2}):
            continue
        if last_name(node.func) != "normalize" or not node.args:
            continue
        text = f"{ast.unparse(node.args[0])}.flatten(1)"
        edits = (Edit(span(node), f"F.normalize({text}, dim=1)"),)
        fix = Fix(edits, "unsafe", Text("Normalise the whole map", "对整张图归一化"))
        what = _AXES[2 if dim.value in {1, -2} else 3]  # type: ignore[attr-defined]
        yield finding("KE138", Severity.ERROR, node, fix, dim=dim.value, what=what)  # type: ignore[attr-defined]


def _is_number(node: Node | None, wanted: set[int]) -> bool:
    return isinstance(node, Constant) and node.value in wanted


def in_formulas(look: Look) -> Iterator[Finding]:
    """In all values."""
    if not look.is_torch:
        return
    yield from _normalised_maps(look.judged)
