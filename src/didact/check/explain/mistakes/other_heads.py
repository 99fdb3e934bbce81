"""Heads of different sizes, as a traceback tells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Given
from didact.check.explain.mistakes._look import Look
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE111": ("HEAD-MISMATCH",)}


_SIZES = re.compile(r"size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\)")


def _heads(judged: Judged, words: str) -> Iterator[Finding]:
    told = _SIZES.search(words)
    if told is None:
        return
    for term in judged.terms:
        if not isinstance(term.student, Given) or not isinstance(term.teacher, Given):
            continue
        labels = judged.tracer.labels
        student, teacher = (labels.get(g, g.text) for g in (term.student, term.teacher))
        for node in nodes_of(judged.tracer.tree):
            if isinstance(node, ast.Call) and judged.tracer.values.get(id(node)) is not None:
                value = judged.tracer.values[id(node)]
                if isinstance(value, Call) and value.name == "log_softmax":
                    target = next((n for n in nodes_of(node) if isinstance(n, ast.Name)
                                   and n.id == student), None)  # fmt: skip
                    if target is None:
                        continue
                    edit = Edit(span(target), f"{student}[:, :{teacher}.size(1)]")
                    rows = next(
                        (n for n in ast.walk(node) if isinstance(n, ast.Subscript)
                         and n.value is target and isinstance(n.slice, ast.Slice)), None
                    )  # fmt: skip
                    if rows is not None:  # the samples were cut in the place of the classes
                        edit = Edit(span(rows), f"{student}[:, {ast.unparse(rows.slice)}]")
                    grown = int(told[1]) >= int(told[2]) or judged.incremental
                    message = Text("Slice to the old classes", "切出旧类")
                    fix = Fix((edit,), "unsafe", message) if grown else None
                    text = OWN["KE111" if grown else "KE111-FEWER"]
                    message = text.format(a=told[1], b=told[2])
                    yield Finding("KE111", Severity.ERROR, span(node), message, fix)
                    return


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where the words around the code hold the sizes."""
    yield from _heads(look.judged, look.words)
