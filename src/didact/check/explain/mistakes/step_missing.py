"""A training loop without its backward() or without its step()."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_loss
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.mistakes._code import Loop, calls_in, target_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

STEP = "KE152"
CODES = {STEP: ("STEP-MISSING",)}
_ELSEWHERE = ("accelerator", "scaler", "fabric", "engine", "automatic_optimization", "minimize")


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Loops that clear the gradients of an optimiser and do only half of the rest."""
    text = text_of(tree)
    if any(word in text for word in _ELSEWHERE):
        return
    has_step, has_backward = ".step(" in text or ".step\n" in text, ".backward" in text
    if has_step == has_backward:
        return
    for loop in nodes_of(tree):
        if isinstance(loop, Loop) and (found := _half(loop, back=has_backward)) is not None:
            yield found
            return


def _half(loop: Loop, *, back: bool) -> Finding | None:
    """What is missing in the body of a loop that calls ``zero_grad``."""
    cleared = [s for s in loop.body if isinstance(s, ast.Expr) and calls_in(s, "zero_grad")]
    owners = [ast.unparse(c.func.value) for s in cleared for c in calls_in(s, "zero_grad")
              if isinstance(c.func, ast.Attribute)]  # fmt: skip
    losses = [target_of(s) for s in loop.body if is_loss(target_of(s))]
    if not owners or not losses:
        return None
    if back:
        after = next((s for s in loop.body if calls_in(s, "backward")), None)
        if after is None or not any("opt" in o.lower() for o in owners):
            return None
        end = span(after)
        place = Span(end.end_line, end.end_column, end.end_line, end.end_column)
        fix = _inserted(place, f"\n{' ' * loop.body[0].col_offset}{owners[0]}.step()")
        message = OWN["KE152-STEP"].format(name=owners[0])
        return Finding(STEP, Severity.WARNING, span(after), message, fix)
    steps = [
        s for s in loop.body
        if isinstance(s, ast.Expr) and ast.unparse(s) == f"{owners[0]}.step()"
    ]  # fmt: skip
    if not steps:
        return None
    first = steps[0]
    place = Span(first.lineno, first.col_offset, first.lineno, first.col_offset)
    between = "; " if any(s is not first and s.lineno == first.lineno for s in loop.body) else None
    indent = between or f"\n{' ' * first.col_offset}"
    fix = _inserted(place, f"{losses[-1]}.backward(){indent}")
    message = OWN["KE152-BACKWARD"].format(name=losses[-1], owner=owners[0])
    return Finding(STEP, Severity.ERROR, span(first), message, fix)


def _inserted(place: Span, text: str) -> Fix:
    return Fix((Edit(place, text),), "unsafe", Text("Add the call", "补上调用"))
