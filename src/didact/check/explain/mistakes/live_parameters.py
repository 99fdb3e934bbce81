"""Old parameters that are kept without a copy."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

LIVE = "KE163"
CODES = {LIVE: ("LIVE-PARAMETERS",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """What a comprehension or a loop over parameters keeps, where it is subtracted elsewhere."""
    for node in nodes_of(tree):
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        value = _kept(node.value)
        if value is not None and _is_subtracted(tree, ast.unparse(target)):
            yield _found(value, ast.unparse(target))
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For) or not _walks(loop.iter):
            continue
        names = _names_in(loop.target)
        for statement in (n for s in loop.body for n in ast.walk(s)):
            place = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if not isinstance(place, ast.Subscript) or not isinstance(statement, ast.Assign):
                continue
            name = ast.unparse(place.value)
            if _is_live(statement.value, names) and _is_subtracted(tree, name):
                yield _found(statement.value, name)


def _kept(value: ast.expr) -> ast.expr | None:
    """The element of a comprehension over parameters that is a parameter itself."""
    if not isinstance(value, ast.DictComp | ast.ListComp) or not _walks(value.generators[0].iter):
        return None
    element = value.value if isinstance(value, ast.DictComp) else value.elt
    return element if _is_live(element, _names_in(value.generators[0].target)) else None


def _walks(iterated: ast.expr) -> bool:
    """Whether the parameters are walked through of a model that may be trained."""
    code = ast.unparse(iterated)
    of_old = role_of(code.split(".named_")[0].split(".parameters")[0]) is Role.TEACHER
    walked = code.endswith(("parameters()", "state_dict().items()", "state_dict().values()"))
    return walked and not of_old


def _names_in(node: ast.expr) -> set[str]:
    return {n.id for n in nodes_of(node) if isinstance(n, ast.Name)}


def _is_live(value: ast.expr, names: set[str]) -> bool:
    """``p``, ``p.data``, ``p.detach()``: they share the memory of the parameter."""
    while True:
        if isinstance(value, ast.Attribute) and value.attr == "data":
            value = value.value
        elif (
            isinstance(value, ast.Call)
            and isinstance(value.func, ast.Attribute)
            and value.func.attr == "detach"
        ):
            value = value.func.value
        else:
            return isinstance(value, ast.Name) and value.id in names


def _is_subtracted(tree: ast.Module, name: str) -> bool:
    """Whether an entry of what is kept is subtracted from a parameter."""
    return any(
        isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub)
        and any(isinstance(p, ast.Subscript) and ast.unparse(p.value) == name
                for side in (n.left, n.right) for p in nodes_of(side))
        for n in nodes_of(tree)
    )  # fmt: skip


def _found(value: ast.expr, name: str) -> Finding:
    root = value
    while isinstance(root, ast.Attribute | ast.Call):
        root = root.value if isinstance(root, ast.Attribute) else root.func
    right = f"{ast.unparse(root)}.detach().clone()"
    fix = Fix((Edit(span(value), right),), "unsafe", Text("Keep copies", "保存拷贝"))
    message = OWN[LIVE].format(code=ast.unparse(value), name=name, right=right)
    return Finding(LIVE, Severity.ERROR, span(value), message, fix)
