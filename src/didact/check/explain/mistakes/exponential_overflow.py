"""A softmax that is written out without the largest score taken away."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact.check.explain.formula.plain import bare, softmax_by_hand
from didact.check.explain.formula.tree import Call, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Finding, Severity

OVERFLOW = "KE241"
CODES = {OVERFLOW: ("EXP-OVERFLOW",)}
_SEEN = re.compile(r"(?<![a-z])(nan|inf)(?![a-z])|overflow|溢出|无穷", re.IGNORECASE)


def in_formulas(look: Look) -> Iterator[Finding]:
    """A remark; a warning where the words around the code speak of NaN."""
    severity = Severity.WARNING if _SEEN.search(look.words) else Severity.INFO
    found: list[ast.AST] = []
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name != "div" or part not in look.places:
                continue
            written = softmax_by_hand(part)
            above = bare(part.args[0])
            if not isinstance(above, Call) or written is None:
                continue
            if bare(above.args[0]) is bare(written.args[0]):
                found.append(look.places[part])
    found = [n for n in found if isinstance(n, ast.BinOp)] or found[:1]
    for node in {id(n): n for n in found}.values():
        yield finding(OVERFLOW, severity, node)
