"""By which name a tensor can be read at a place: a callee does not know its caller's names."""

from __future__ import annotations

import ast
import builtins

from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Given
from didact.check.findings.finding import Span

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef)


def name_at(judged: Judged, student: Given, where: Span) -> str | None:
    """The name that a side is kept by where a call stands; None where it has none there."""
    function = _function_at(judged.tracer.tree, where)
    if function is None:
        return _kept(judged, student)
    stored = [n.id for n in nodes_of(function) if isinstance(n, ast.Name)
              and isinstance(n.ctx, ast.Store)]  # fmt: skip
    own = [*stored, *(n.arg for n in nodes_of(function) if isinstance(n, ast.arg))]
    values = judged.tracer.values
    for node in nodes_of(function):
        if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
            continue
        if values.get(id(node)) is student and own.count(node.id) == 1:
            return node.id
    base = student.text.partition(".")[0]
    outer = base not in own and base in {
        n.id for n in nodes_of(function) if isinstance(n, ast.Name)
    }
    return student.text if outer and not student.inputs and "(" not in student.text else None


def _function_at(tree: ast.Module, where: Span) -> ast.AST | None:
    """The innermost function around a place."""
    around = [
        n for n in nodes_of(tree) if isinstance(n, _SCOPES)
        and n.lineno <= where.line <= (n.end_lineno or n.lineno)
    ]  # fmt: skip
    return max(around, key=lambda n: n.lineno, default=None)


def _kept(judged: Judged, student: Given) -> str | None:
    """The name in the statements outside of functions: a model is not called again for a shape."""
    if not student.inputs and "(" not in student.text:
        return student.text
    name = judged.tracer.labels.get(student, "")
    if name and "(" not in name:
        return name
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name) and judged.tracer.values.get(id(node.value)) is student:
            return target.id
    return None


def reads_foreign(changed: ast.Module, before: ast.Module) -> bool:
    """Whether a change makes a function read a name that only statements elsewhere know."""
    known = set(dir(builtins)) | {"F", "nn", "np", "torch", "math", "copy"}
    for node in changed.body:
        known |= {a.asname or a.name.split(".")[0] for n in nodes_of(node)
                  if isinstance(n, ast.Import | ast.ImportFrom) for a in n.names}  # fmt: skip
    known |= {n.name for n in nodes_of(changed) if isinstance(n, (*_SCOPES, ast.ClassDef))}
    was = _foreign(before)
    return any(names - known - was.get(where, names) for where, names in _foreign(changed).items())


def _foreign(tree: ast.Module) -> dict[str, set[str]]:
    """What each function at the top, or in a class there, reads and does not set."""
    found: dict[str, set[str]] = {}
    classes = [n for n in tree.body if isinstance(n, ast.ClassDef)]
    owners: list[ast.Module | ast.ClassDef] = [tree, *classes]
    for owner in owners:
        for function in owner.body:
            if not isinstance(function, _SCOPES):
                continue
            names = [n for n in nodes_of(function) if isinstance(n, ast.Name)]
            own = {n.id for n in names if not isinstance(n.ctx, ast.Load)}
            own |= {n.arg for n in nodes_of(function) if isinstance(n, ast.arg)}
            read = {n.id for n in names if isinstance(n.ctx, ast.Load)}
            found[f"{getattr(owner, 'name', '')}.{function.name}"] = read - own
    return found
