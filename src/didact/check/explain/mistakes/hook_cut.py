"""A hook that catches the student's features without their graph."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._look import finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE232": ("HOOK-CUT", "STUDENT-NO-GRAD")}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Where the hook that cuts is put on a student's layer, and a loss is backpropagated."""
    nodes = nodes_of(tree)
    calls = [n for n in nodes if isinstance(n, ast.Call)]
    hooked = [c for c in calls if last_name(c.func) == "register_forward_hook" and c.args]
    if not hooked or not any(last_name(c.func) == "backward" for c in calls):
        return
    functions = {n.name: n for n in nodes if isinstance(n, ast.FunctionDef)}
    sides: dict[str, set[Role]] = {}
    for call in hooked:
        sides.setdefault(_hook_name(call.args[0]), set()).add(_side(call.func))
    for name, whose in sides.items():
        if name in functions and Role.STUDENT in whose:
            yield from _cut(functions[name])


def _hook_name(node: ast.expr) -> str:
    return last_name(node.func if isinstance(node, ast.Call) else node)


def _side(node: ast.expr) -> Role:
    """Whose layer a hook is put on."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(node, ast.Attribute) and (told := role_of(node.attr)) is not Role.UNKNOWN:
            return told
        node = node.func if isinstance(node, ast.Call) else node.value
    return role_of(node.id) if isinstance(node, ast.Name) else Role.UNKNOWN


def _cut(hook: ast.FunctionDef) -> Iterator[Finding]:
    """What the hook keeps, where it is detached."""
    inner = [n for n in nodes_of(hook) if isinstance(n, ast.FunctionDef) and n is not hook]
    for function in inner or [hook]:
        names = [a.arg for a in function.args.args]
        if len(names) < 3:
            continue
        for node in nodes_of(function):
            if not isinstance(node, ast.Assign | ast.Call):
                continue
            kept = node.value if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.Call) and last_name(node.func) == "append" and node.args:
                kept = node.args[0]
            cut = _detached(kept, names[-1])
            if cut is not None:
                text = ast.unparse(cut.func.value)  # type: ignore[attr-defined]
                edit = Edit(span(cut), text)
                fix = Fix((edit,), "unsafe", Text("Keep the graph", "保留计算图"))
                yield finding("KE232", Severity.ERROR, cut, fix, text=ast.unparse(cut))


def _detached(node: ast.AST | None, output: str) -> ast.Call | None:
    """The ``detach()`` in ``out.detach().clone()`` of the hook's output."""
    found = None
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if method and node.func.attr == "detach" and isinstance(node, ast.Call):  # type: ignore[union-attr]
            found = node
        node = node.func if isinstance(node, ast.Call) else node.value
    return found if isinstance(node, ast.Name) and node.id == output else None
