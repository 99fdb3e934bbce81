"""A student that is trained in evaluation mode, or whose parameters are frozen."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_model, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.mistakes._code import Loop, calls_in
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

EVALUATED = "KE165"
FROZEN = "KE166"
CODES = {EVALUATED: ("STUDENT-EVAL-MODE",), FROZEN: ("STUDENT-FROZEN",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """In code that goes back through the student."""
    if not calls_in(tree, "backward"):
        return
    loops = [n for n in nodes_of(tree) if isinstance(n, Loop) and calls_in(n, "backward")]
    text = text_of(tree)
    for statement in tree.body:
        name = _evaluated(statement)
        if not name or f"{name}.train(" in text:
            continue
        run = [loop for loop in loops if loop.lineno > statement.lineno and _runs(loop, name)]
        if run:
            fix = Fix((Edit(span(statement), f"{name}.train()"),), "unsafe",
                      Text("Train in training mode", "用训练模式训练"))  # fmt: skip
            message = OWN[EVALUATED].format(name=name)
            yield Finding(EVALUATED, Severity.WARNING, span(statement), message, fix)
    for loop in nodes_of(tree):
        if isinstance(loop, ast.For):
            yield from _frozen(loop, tree, text)


def _is_student(name: str) -> bool:
    return is_model(name) and role_of(name) is Role.STUDENT


def _evaluated(statement: ast.stmt) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        name = ast.unparse(value.func.value)
        return name if value.func.attr == "eval" and _is_student(name) else ""
    return ""


def _runs(node: ast.AST, name: str) -> bool:
    """Whether a model is run in a node with its graph."""
    frozen = {
        id(n) for b in nodes_of(node) if isinstance(b, ast.With)
        and "no_grad" in ast.unparse(b.items[0]) for n in nodes_of(b)
    }  # fmt: skip
    return any(
        isinstance(n, ast.Call) and ast.unparse(n.func) == name and id(n) not in frozen
        for n in nodes_of(node)
    )


def _frozen(loop: ast.For, tree: ast.Module, text: str) -> Iterator[Finding]:
    """``for p in student.parameters(): p.requires_grad = False``, all of them."""
    if len(loop.body) != 1 or not isinstance(loop.iter, ast.Call):
        return
    if not isinstance(loop.iter.func, ast.Attribute) or loop.iter.func.attr != "parameters":
        return
    name = ast.unparse(loop.iter.func.value)
    code = ast.unparse(loop.body[0])
    off = code.endswith((".requires_grad = False", ".requires_grad_(False)"))
    if not off or not _is_student(name) or not _runs(tree, name) or "= True" in text:
        return
    teachers = {
        ast.unparse(n.func) for n in nodes_of(tree)
        if isinstance(n, ast.Call) and role_of(ast.unparse(n.func)) is Role.TEACHER
        and is_model(ast.unparse(n.func))
    }  # fmt: skip
    fix = None
    if len(teachers) == 1:
        meant = Text("Freeze the teacher", "冻结教师")
        fix = Fix((Edit(span(loop.iter.func.value), teachers.pop()),), "unsafe", meant)
    message = OWN[FROZEN].format(name=name)
    yield Finding(FROZEN, Severity.ERROR, span(loop.iter), message, fix)
