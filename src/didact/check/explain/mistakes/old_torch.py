"""What PyTorch 0.3 knew and today's does not: ``loss.data[0]``, ``volatile=True``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_loss
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import target_of
from didact.check.explain.mistakes._losses import LOSSES
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

INDEXED = "KE156"
VOLATILE = "KE157"
CODES = {INDEXED: ("SCALAR-INDEXED",), VOLATILE: ("VOLATILE",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Expression by expression."""
    losses = {target_of(n) for n in nodes_of(tree) if _computes_loss(n)}
    for node in nodes_of(tree):
        if isinstance(node, ast.Subscript) and _is_scalar(node, losses):
            owner = ast.unparse(node.value.value)  # type: ignore[attr-defined]
            code = ast.unparse(node)
            fix = Fix(
                (Edit(span(node), f"{owner}.item()"),), "safe", Text("Today's form", "现在的写法")
            )
            message = OWN[INDEXED].format(code=code, right=f"{owner}.item()")
            yield Finding(INDEXED, Severity.ERROR, span(node), message, fix)
        if isinstance(node, ast.Call) and last_name(node.func) == "Variable":
            flag = next((k for k in node.keywords if k.arg == "volatile"), None)
            on = flag is not None and isinstance(flag.value, ast.Constant) and flag.value.value
            if on and node.args:
                given = ast.unparse(node.args[0])
                edit = Edit(span(node), given)
                fix = Fix((edit,), "unsafe", Text("Without Variable", "去掉 Variable"))
                message = OWN[VOLATILE].format(code=ast.unparse(node))
                yield Finding(VOLATILE, Severity.WARNING, span(node), message, fix)


def _computes_loss(node: ast.AST) -> bool:
    if not target_of(node):
        return False
    called = {last_name(n.func) for n in nodes_of(node) if isinstance(n, ast.Call)}
    return bool(called & LOSSES - {"normalize"}) or any(map(is_loss, called))


def _is_scalar(node: ast.Subscript, losses: set[str]) -> bool:
    """``loss.data[0]``: a number in a tensor without dimensions has no index."""
    value, index = node.value, node.slice
    if not isinstance(value, ast.Attribute) or value.attr != "data":
        return False
    first = isinstance(index, ast.Constant) and index.value == 0
    name = value.value.id if isinstance(value.value, ast.Name) else last_name(value.value)
    return first and (name in losses or is_loss(name))
