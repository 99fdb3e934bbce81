"""A penalty on parameters that are taken out of the graph."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

PENALTY = "KE159"
CODES = {PENALTY: ("PENALTY-CUT",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Loops over parameters that add up squares of what is detached."""
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For) or "parameters()" not in ast.unparse(loop.iter):
            continue
        names = {n.id for n in nodes_of(loop.target) if isinstance(n, ast.Name)}
        for node in nodes_of(loop):
            summed = isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add)
            if not summed or not isinstance(node, ast.AugAssign):
                continue
            if _has_live(node.value, names):
                continue
            for cut in nodes_of(node.value):
                if _is_cut(cut, names) and _is_squared(node.value, cut):
                    yield _found(cut, ast.unparse(node.target))
                    break


def _is_cut(node: ast.AST, names: set[str]) -> bool:
    """``p.detach()`` or ``p.data`` of a parameter of the loop."""
    inner: ast.AST = node
    if isinstance(inner, ast.Call) and last_name(inner.func) == "detach" and not inner.args:
        inner = inner.func
    elif not (isinstance(inner, ast.Attribute) and inner.attr == "data"):
        return False
    owner = inner.value if isinstance(inner, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id in names


def _has_live(value: ast.expr, names: set[str]) -> bool:
    """Whether a parameter of the loop stands in a sum with its gradient, names of dicts aside."""
    cut = {id(n) for c in nodes_of(value) if _is_cut(c, names) for n in nodes_of(c)}
    keys = {id(n) for s in nodes_of(value) if isinstance(s, ast.Subscript)
            for n in nodes_of(s.slice)}  # fmt: skip
    return any(
        isinstance(n, ast.Name) and n.id in names and id(n) not in cut | keys
        for n in nodes_of(value)
    )


def _is_squared(value: ast.expr, cut: ast.AST) -> bool:
    """Whether a difference with a part in it is squared or its norm is taken."""
    for node in nodes_of(value):
        inner: ast.AST | None = None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            inner = node.left
        elif isinstance(node, ast.Call) and last_name(node.func) in {
            "pow",
            "norm",
            "abs",
            "square",
        }:
            inner = node
        if inner is None or not any(n is cut for n in nodes_of(inner)):
            continue
        if any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub) for n in nodes_of(inner)):
            return True
    return False


def _found(cut: ast.AST, total: str) -> Finding:
    owner = cut.func if isinstance(cut, ast.Call) else cut
    name = ast.unparse(owner.value)  # type: ignore[attr-defined]
    fix = Fix((Edit(span(cut), name),), "unsafe", Text("Keep the graph", "保留计算图"))
    message = OWN[PENALTY].format(code=ast.unparse(cut), total=total)
    return Finding(PENALTY, Severity.ERROR, span(cut), message, fix)
