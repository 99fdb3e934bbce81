"""Gradients of several batches that are added up, and nothing divides by their number."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE214": ("ACCUMULATED-SUM",)}

_TOLD = re.compile(
    r"accumul|effective batch|larger batch|big batch|累积|等效|大 ?batch", re.IGNORECASE
)
_EVERY = re.compile(r"% (?P<n>[\w.]+) == 0")
_DIVIDED = Text("Divide by the number of batches", "除以批次数")


def is_divided(text: str, n: str) -> bool:
    """Whether something is divided by the number of batches, by its name or its value."""
    value = re.search(rf"^ *{re.escape(n)} = (\d+)$", text, re.MULTILINE)
    known = [re.escape(n), *([value[1]] if value is not None else []), r"[\w.]*accum\w*"]
    return re.search(rf"/=? *({'|'.join(known)})(?![\w.])", text) is not None


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where a step is taken every so many batches, and the words speak of a larger batch."""
    if not look.is_torch or not _TOLD.search(look.words):
        return
    tree = look.judged.tracer.tree
    text = text_of(tree)
    calls = [n for n in nodes_of(tree) if isinstance(n, ast.Call)]
    backward = [c for c in calls if last_name(c.func) == "backward" and not c.args]
    if len(backward) != 1 or not isinstance(backward[0].func, ast.Attribute):
        return
    tests = [
        n for n in nodes_of(tree) if isinstance(n, ast.If)
        and any(isinstance(c, ast.Call) and last_name(c.func) == "step"
                for b in n.body for c in ast.walk(b))
    ]  # fmt: skip
    every = {m["n"] for n in tests if (m := _EVERY.search(ast.unparse(n.test)))}
    if len(every) != 1 or re.search(r"reduction='sum'|scaler|accelerator|num_items", text):
        return
    (n,) = every
    loss = backward[0].func.value
    if is_divided(text, n):
        return
    shown = ast.unparse(loss)
    fix = Fix((Edit(span(loss), f"({shown} / {n})"),), "unsafe", _DIVIDED)
    yield finding("KE214", Severity.WARNING, backward[0], fix, n=n, loss=shown)
