"""A schedule that counts epochs and is stepped after every batch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import loops_around
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

EACH_BATCH = "KE203"
CODES = {EACH_BATCH: ("SCHEDULER-EACH-BATCH",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """``StepLR(optimizer, step_size=30)`` that is stepped inside the loop over the batches."""
    for node in nodes_of(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        name, made = ast.unparse(node.targets[0]), node.value
        if not _counts_epochs(made):
            continue
        for statement in nodes_of(tree):
            if not isinstance(statement, ast.Expr):
                continue
            if ast.unparse(statement) != f"{name}.step()":
                continue
            loops = loops_around(tree, statement)
            if len(loops) == 2 and isinstance(loops[0], ast.For) and _is_of_epochs(loops[0]):
                yield _found(statement, loops[1], name, last_name(made.func))


def _is_of_epochs(loop: ast.For) -> bool:
    return "ep" in ast.unparse(loop.target).lower() or "epoch" in ast.unparse(loop.iter).lower()


def _counts_epochs(made: ast.Call) -> bool:
    """Whether the numbers of a schedule can only be epochs."""
    kind, code = last_name(made.func), ast.unparse(made)
    if kind == "StepLR":
        size = re.search(r"step_size=(\d+)", code) or re.search(r"StepLR\([\w.]+, (\d+)", code)
        return size is not None and int(size[1]) <= 100
    if kind == "MultiStepLR":
        listed = re.search(r"\[([\d, ]+)\]", code)
        return listed is not None and max(map(int, re.findall(r"\d+", listed[1]))) <= 500
    return kind == "CosineAnnealingLR" and re.search(r"(T_max=|, )\w*epochs?\b", code) is not None


def _found(statement: ast.Expr, loop: ast.stmt, name: str, kind: str) -> Finding:
    body = getattr(loop, "body", [])
    fix = None
    if len(body) > 1 and body[-1] is statement and statement.lineno > body[-2].lineno:
        line = Span(statement.lineno, 0, statement.lineno, statement.col_offset)
        edit = Edit(line, " " * loop.col_offset)
        fix = Fix((edit,), "unsafe", Text("Once per epoch", "每个 epoch 一次"))
    message = OWN[EACH_BATCH].format(name=name, kind=kind)
    return Finding(EACH_BATCH, Severity.WARNING, span(statement), message, fix)
