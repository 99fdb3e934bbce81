"""A scheduler that is made and never stepped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import calls_in, reads, target_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

SCHEDULER = "KE164"
CODES = {SCHEDULER: ("SCHEDULER-UNUSED",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Where the training loop is shown and nothing reads the scheduler."""
    if not calls_in(tree, "backward") or not calls_in(tree, "step"):
        return
    for node in nodes_of(tree):
        name = target_of(node)
        value = getattr(node, "value", None)
        made = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
        scheduled = "lr_scheduler" in made or made.endswith(("LR", "schedule_with_warmup"))
        if not name or not scheduled or reads(tree, name):
            continue
        message = OWN[SCHEDULER].format(name=name)
        yield Finding(SCHEDULER, Severity.WARNING, span(node), message, _stepped(tree, name))


def _stepped(tree: ast.Module, name: str) -> Fix | None:
    """The step of the scheduler at the end of each round of the outermost loop that trains."""
    for loop in nodes_of(tree):
        nested = isinstance(loop, ast.For) and any(
            isinstance(s, ast.For) and calls_in(s, "backward") for s in loop.body
        )
        if nested and isinstance(loop, ast.For):
            end = span(loop.body[-1])
            place = Span(end.end_line, end.end_column, end.end_line, end.end_column)
            text = f"\n{' ' * loop.body[0].col_offset}{name}.step()"
            return Fix(
                (Edit(place, text),), "unsafe", Text("Step it each epoch", "每个 epoch 调用")
            )
    return None
