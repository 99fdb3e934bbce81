"""An optimiser that is made anew in each step."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import Loop, calls_in, target_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

ANEW = "KE167"
CODES = {ANEW: ("OPTIMIZER-ANEW",)}
_KEEPING = ("Adam", "AdamW", "RMSprop", "Adagrad", "momentum=")
"""Optimisers with a memory of earlier steps."""


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """In the loop that goes back itself, not in one around it over tasks."""
    for loop in nodes_of(tree):
        if not isinstance(loop, Loop):
            continue
        if not any(calls_in(s, "backward") for s in loop.body if not isinstance(s, Loop)):
            continue
        for statement in loop.body:
            name = target_of(statement)
            value = getattr(statement, "value", None)
            code = ast.unparse(value) if isinstance(value, ast.Call) else ""
            keeps = any(word in code for word in _KEEPING)
            if not name or ".parameters()" not in code or not keeps:
                continue
            message = OWN[ANEW].format(name=name)
            fix = _before(loop, statement)
            yield Finding(ANEW, Severity.WARNING, span(statement), message, fix)


def _before(loop: Loop, statement: ast.stmt) -> Fix | None:
    """The statement before the loop."""
    if any(s is not statement and s.lineno == statement.lineno for s in loop.body):
        return None
    place = Span(loop.lineno, loop.col_offset, loop.lineno, loop.col_offset)
    line = Span(statement.lineno, 0, (statement.end_lineno or statement.lineno) + 1, 0)
    text = f"{ast.unparse(statement)}\n{' ' * loop.col_offset}"
    return Fix(
        (Edit(place, text), Edit(line, "")), "unsafe", Text("Before the loop", "移到循环之前")
    )
