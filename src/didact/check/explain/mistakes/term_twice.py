"""The same term, counted twice."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.tree import Node
from didact.check.explain.formula.verdict import is_same
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Finding, Severity

CODES = {"KE139": ("TERM-TWICE",)}


def _repeated(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """Two terms of one loss that compute the same: one was meant to be another."""
    for branch in loss.branches:
        soft = [t for t in branch.terms if t.definition is not None and t.student is not None]
        for number, one in enumerate(soft):
            for other in soft[number + 1 :]:
                if one.definition is not other.definition or one.over is not None:
                    continue
                sides = ((one.student, other.student), (one.teacher, other.teacher))
                if any(a is None or b is None or not is_same(a, b) for a, b in sides):
                    continue
                labels = judged.tracer.labels
                names = {labels.get(t.body, "") for t in (one, other)} - {""}
                node = places.get(other.body) or loss.entry.node
                assert one.definition is not None
                yield finding("KE139", Severity.WARNING, node, None, name=one.definition.name,
                               names=", ".join(sorted(names)) or "both")  # fmt: skip
                return


def in_formulas(look: Look) -> Iterator[Finding]:
    """Loss by loss."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        yield from _repeated(look.judged, loss, look.places)
