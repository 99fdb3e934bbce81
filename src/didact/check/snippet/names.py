"""Small questions about the names in one statement; a header's body is not part of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def own_nodes(node: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement without the statements inside it."""
    pending: list[ast.AST] = [node]
    while pending:
        current = pending.pop()
        yield current
        pending += [c for c in ast.iter_child_nodes(current) if not isinstance(c, ast.stmt)]


def loaded(node: ast.stmt) -> set[str]:
    """The names that a statement reads; ``x += 1`` reads ``x``."""
    return {
        n.id for n in own_nodes(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }


def assigned(node: ast.stmt) -> set[str]:
    """The names that a statement sets, loop variables and parameters included."""
    names = {
        n.id for n in own_nodes(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        names |= {a.arg for a in every}
    return names


def accumulators(node: ast.stmt) -> set[str]:
    """The names that a statement adds to."""
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    if isinstance(node, ast.Assign):
        return assigned(node) & loaded(node)
    return set()


def loop_targets(node: ast.stmt) -> set[str]:
    """The names that a ``for`` sets in each round."""
    if not isinstance(node, ast.For | ast.AsyncFor):
        return set()
    return {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}


def calls_method(node: ast.stmt, names: set[str]) -> bool:
    """Whether the statement calls a method of one of these names."""
    return any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in names
        for n in own_nodes(node)
    )


def first_parameter(node: ast.stmt) -> str:
    """The first parameter of a function, or an empty string."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    arguments = [*node.args.posonlyargs, *node.args.args]
    return arguments[0].arg if arguments else ""


def mentions(node: ast.stmt, words: tuple[str, ...]) -> bool:
    """Whether a name or attribute in the statement holds one of these words."""
    for inner in own_nodes(node):
        name = getattr(inner, "id", None) or getattr(inner, "attr", None)
        if isinstance(name, str) and any(word in name.lower() for word in words):
            return True
    return False


def appended(node: ast.stmt) -> set[str]:
    """The lists that a statement appends to."""
    return {
        n.func.value.id
        for n in own_nodes(node)
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr in {"append", "extend"}
        and isinstance(n.func.value, ast.Name)
    }


def alike(one: ast.stmt, other: ast.stmt) -> bool:
    """Whether two assignments do the same to different names (``s = s.mean(1)``, ``t = ...``)."""
    if not isinstance(one, ast.Assign | ast.AugAssign):
        return False
    return assigned(one) != assigned(other) and _shape(one) == _shape(other)


def _shape(node: ast.stmt) -> list[object]:
    shape: list[object] = []
    for inner in own_nodes(node):
        shape.append(type(inner))
        if isinstance(inner, ast.Attribute):
            shape.append(inner.attr)
        elif isinstance(inner, ast.Constant):
            shape.append(inner.value)
        elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
            shape.append(inner.func.id)
    return shape
