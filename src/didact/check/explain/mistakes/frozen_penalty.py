"""A penalty on parameters that is cut off from them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE187": ("GRAPH-CUT",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """``(p.detach() - old[n]) ** 2`` over the parameters of a model."""
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For | ast.comprehension):
            continue
        source = loop.iter
        if not isinstance(source, ast.Call):
            continue
        if last_name(source.func) not in {"named_parameters", "parameters"}:
            continue
        names = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
        yield from _squares(tree, loop, names)


def _squares(
    tree: ast.Module, loop: ast.For | ast.comprehension, names: set[str]
) -> Iterator[Finding]:
    inside: ast.AST = loop if isinstance(loop, ast.For) else tree
    for node in ast.walk(inside):
        difference = _squared(node)
        if difference is None:
            continue
        for side in (difference.left, difference.right):
            owner = _cut(side)
            if isinstance(owner, ast.Name) and owner.id in names:
                fix = Fix((Edit(span(side), owner.id),), "unsafe",
                          Text("Let the gradient through", "让梯度通过"))  # fmt: skip
                message = OWN["KE187"].format(name=ast.unparse(side))
                yield Finding("KE187", Severity.ERROR, span(side), message, fix)


def _squared(node: ast.AST) -> ast.BinOp | None:
    """The difference that is squared."""
    inner: ast.AST | None = None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        inner = node.left
    if isinstance(node, ast.Call) and last_name(node.func) in {"pow", "square"}:
        method = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) != "torch"
        inner = node.func.value if method and isinstance(node.func, ast.Attribute) else None
        inner = inner or (node.args[0] if node.args else None)
    minus = isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub)
    return inner if minus and isinstance(inner, ast.BinOp) else None


def _cut(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.Call) and last_name(node.func) == "detach" and not node.args:
        return node.func.value if isinstance(node.func, ast.Attribute) else None
    if isinstance(node, ast.Attribute) and node.attr == "data":
        return node.value
    return None
