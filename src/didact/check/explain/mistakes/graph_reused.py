"""A graph that is built before a loop and that every round goes back through."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.mistakes._code import (
    blocks_of,
    calls_in,
    loops_around,
    scopes_of,
    sets,
    target_of,
)
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

REUSED = "KE154"
CODES = {REUSED: ("GRAPH-REUSED",)}
_CUTS = ("requires_grad", "freeze", "retain_graph", "set_grad_enabled")


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """A model's output that is computed once with a graph, in a loop that goes back each round."""
    for scope in scopes_of(tree):
        for block in blocks_of(scope):
            for at, loop in enumerate(block):
                if isinstance(loop, ast.For | ast.While) and calls_in(loop, "backward"):
                    yield from _reused(tree, block[:at], loop)


def _reused(
    tree: ast.Module, before: list[ast.stmt], loop: ast.For | ast.While
) -> Iterator[Finding]:
    if any(word in text_of(tree) for word in _CUTS) or loops_around(tree, loop):
        return
    for at, statement in enumerate(before):
        name = target_of(statement)
        value = getattr(statement, "value", None)
        if not name or is_model(name) or not isinstance(value, ast.Call):
            continue
        if not _is_forward(value) or "detach" in ast.unparse(statement):
            continue
        if not any(_keeps(loop, n) and not sets(loop, n) for n in _made_of(name, before[at + 1 :])):
            continue
        model = ast.unparse(value.func)
        fix = None
        if role_of(model) is Role.TEACHER:
            indent = " " * statement.col_offset
            text = f"with torch.no_grad():\n{indent}    {ast.unparse(statement)}"
            fix = Fix((Edit(span(statement), text),), "unsafe", Text("No graph", "不建图"))
        elif loop.body[0].lineno > loop.lineno and statement.lineno != loop.lineno:
            fix = _moved(statement, loop)
        message = OWN[REUSED].format(name=name, model=model)
        yield Finding(REUSED, Severity.ERROR, span(statement), message, fix)


def _is_forward(value: ast.Call) -> bool:
    """Whether a value is the output of a model for an input; making a model is none."""
    if not isinstance(value.func, ast.Name | ast.Attribute) or not value.args:
        return False
    name = ast.unparse(value.func)
    made = last_name(value.func)[:1].isupper() or name.startswith(("torch", "nn.", "F.", "copy"))
    given = isinstance(value.args[0], ast.Name) and not is_model(value.args[0].id)
    return is_model(name) and not made and given


def _made_of(name: str, later: list[ast.stmt]) -> set[str]:
    """A name and the names that are computed from it with its graph."""
    found = {name}
    for statement in later:
        target = target_of(statement)
        value = getattr(statement, "value", None)
        if target and isinstance(value, ast.expr) and any(_keeps(value, n) for n in found):
            found.add(target)
    return found


def _keeps(loop: ast.AST, name: str) -> bool:
    """Whether something reads a name other than behind ``detach`` or where no graph is recorded."""
    cut = {
        id(n.value) for n in nodes_of(loop)
        if isinstance(n, ast.Attribute) and n.attr in {"detach", "data"}
    }  # fmt: skip
    for block in nodes_of(loop):
        if isinstance(block, ast.With) and any("no_grad" in ast.unparse(i) for i in block.items):
            cut |= {id(n) for n in nodes_of(block)}
    return any(
        isinstance(n, ast.Name) and n.id == name and id(n) not in cut for n in nodes_of(loop)
    )


def _moved(statement: ast.stmt, loop: ast.For | ast.While) -> Fix:
    """A statement at the start of each round of a loop."""
    first = loop.body[0]
    place = Span(first.lineno, first.col_offset, first.lineno, first.col_offset)
    text = f"{ast.unparse(statement)}\n{' ' * first.col_offset}"
    line = Span(statement.lineno, 0, (statement.end_lineno or statement.lineno) + 1, 0)
    return Fix((Edit(place, text), Edit(line, "")), "unsafe", Text("Inside the loop", "移到循环内"))
