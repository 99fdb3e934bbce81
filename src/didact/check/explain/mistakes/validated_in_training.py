"""A student that is evaluated in training mode."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import Loop, blocks_of, calls_in, scopes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

VALIDATED = "KE200"
CODES = {VALIDATED: ("VALIDATED-IN-TRAINING",)}
_HELD_OUT = re.compile(r"val|test|eval|dev(?!ice)", re.IGNORECASE)
_COUNTS = re.compile(r"argmax|\.max\(|topk|correct|\bacc")


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """A loop over held-out batches behind the training of the same model, with no ``eval()``."""
    if not calls_in(tree, "backward"):
        return
    text = ast.unparse(tree)
    trained = {
        ast.unparse(call.func)
        for loop in nodes_of(tree) if isinstance(loop, Loop) and calls_in(loop, "backward")
        for call in nodes_of(loop) if isinstance(call, ast.Call) and _is_student(call.func)
    }  # fmt: skip
    for name in sorted(trained):
        if f"{name}.train()" not in text or f"{name}.eval(" in text or f"{name}.train(F" in text:
            continue
        for scope in scopes_of(tree):
            for block in blocks_of(scope):
                yield from _validated(block, name)


def _is_student(function: ast.expr) -> bool:
    if not isinstance(function, ast.Name | ast.Attribute):
        return False
    name = ast.unparse(function)
    return is_model(name) and role_of(name) is not Role.TEACHER


def _validated(block: list[ast.stmt], name: str) -> Iterator[Finding]:
    """The first loop of a block that counts what the model gets right, behind its training."""
    trained = False
    for statement in block:
        if calls_in(statement, "backward"):
            trained = True
            continue
        loop = statement
        if isinstance(loop, ast.With) and len(loop.body) == 1:
            loop = loop.body[0]
        if not trained or not isinstance(loop, ast.For) or not _HELD_OUT.search(
            ast.unparse(loop.iter)
        ):  # fmt: skip
            continue
        runs = any(isinstance(n, ast.Call) and ast.unparse(n.func) == name for n in ast.walk(loop))
        if runs and _COUNTS.search(ast.unparse(loop)):
            place = Span(statement.lineno, statement.col_offset, statement.lineno,
                         statement.col_offset)  # fmt: skip
            indent = " " * statement.col_offset
            edit = Edit(place, f"{name}.eval()\n{indent}")
            fix = Fix((edit,), "unsafe", Text("Evaluate in eval mode", "用 eval 模式评估"))
            message = OWN[VALIDATED].format(name=name)
            yield Finding(VALIDATED, Severity.WARNING, span(loop.iter), message, fix)
            return
