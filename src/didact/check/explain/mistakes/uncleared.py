"""Gradients that are never cleared."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Finding, Severity

CODES = {"KE135": ("NO-ZERO-GRAD",)}

UNCLEARED = "KE135"


def _uncleared(tree: ast.Module) -> Iterator[Finding]:
    """A loop that goes back and steps, in code that nowhere clears the gradients."""
    text = ast.unparse(tree)
    if "zero_grad" in text or ".grad = None" in text:
        return
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For | ast.While):
            continue
        inner = [n for n in ast.walk(loop) if isinstance(n, ast.For | ast.While) and n is not loop]
        calls = [n for n in ast.walk(loop) if isinstance(n, ast.Call)]
        back = [c for c in calls if last_name(c.func) == "backward"]
        steps = [c for c in calls if last_name(c.func) == "step" and not c.args
                 and "sched" not in ast.unparse(c.func).lower()]  # fmt: skip
        if back and steps and not any(last_name(c.func) == "backward" for i in inner
                                      for c in ast.walk(i) if isinstance(c, ast.Call)):  # fmt: skip
            owner = ast.unparse(steps[0].func).removesuffix(".step")
            message = OWN[UNCLEARED].format(name=owner)
            yield Finding(UNCLEARED, Severity.ERROR, span(steps[0]), message)
            return


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Where something goes back and steps."""
    called = {last_name(n.func) for n in nodes_of(tree) if isinstance(n, ast.Call)}
    if {"backward", "step"} <= called:
        yield from _uncleared(tree)
