"""Weight alignment by the ratio of norms that is the wrong way up."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import scopes_of, target_of
from didact.check.explain.mistakes._look import finding, operand
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE220": ("SCALE-INVERTED",)}
_DEEPEST = 4


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """``w[n:] *= norm(w[n:]) / norm(w[:n])``: the rows are made to differ still more."""
    if not any(isinstance(n, ast.Div) for n in nodes_of(tree)):
        return
    for scope in scopes_of(tree):
        made: dict[str, list[ast.expr]] = {}
        statements = [n for n in ast.walk(scope) if isinstance(n, ast.stmt)]
        for statement in statements:
            if (name := target_of(statement)) and isinstance(statement, ast.Assign):
                made.setdefault(name, []).append(statement.value)
        for statement in statements:
            yield from _rescaled(statement, made)


def _rescaled(statement: ast.stmt, made: dict[str, list[ast.expr]]) -> Iterator[Finding]:
    rows, factor = _product(statement)
    side = _side(rows)
    if rows is None or factor is None or side is None:
        return
    ratio = _resolved(factor, made)
    if not isinstance(ratio, ast.BinOp) or not isinstance(ratio.op, ast.Div):
        return
    above, below = _norms_of(ratio.left, made), _norms_of(ratio.right, made)
    other = "rest" if side == "first" else "first"
    if above != {side} or below != {other}:
        return
    right = f"{operand(ratio.right)} / {operand(ratio.left)}"
    fix = Fix((Edit(span(ratio), right),), "unsafe", Text("The ratio the other way up", "倒过来"))
    yield finding(
        "KE220", Severity.ERROR, ratio, fix,
        rows=ast.unparse(rows), ratio=ast.unparse(ratio), right=right,
    )  # fmt: skip


def _product(statement: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    """The rows and the factor of ``w[n:] *= g``, ``w[n:] = w[n:] * g`` and ``w[n:].mul_(g)``."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Mult):
        return statement.target, statement.value
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.Expr) and isinstance(value, ast.Call):
        called = value.func
        if isinstance(called, ast.Attribute) and called.attr == "mul_" and len(value.args) == 1:
            return called.value, value.args[0]
    if isinstance(statement, ast.Assign) and isinstance(value, ast.BinOp):
        text = ast.unparse(statement.targets[0])
        if isinstance(value.op, ast.Mult):
            for one, other in ((value.left, value.right), (value.right, value.left)):
                if ast.unparse(one) == text:
                    return one, other
    return None, None


def _side(node: ast.AST | None) -> str | None:
    """``first`` of ``w[:n]``, ``rest`` of ``w[n:]``."""
    key = node.slice if isinstance(node, ast.Subscript) else None
    if isinstance(key, ast.Tuple) and key.elts:
        key = key.elts[0]
    if not isinstance(key, ast.Slice) or key.step is not None:
        return None
    if key.lower is None:
        return "first" if key.upper is not None else None
    return "rest" if key.upper is None and not isinstance(key.lower, ast.UnaryOp) else None


def _resolved(node: ast.expr, made: dict[str, list[ast.expr]]) -> ast.expr:
    for _ in range(_DEEPEST):
        values = made.get(node.id, []) if isinstance(node, ast.Name) else []
        if len(values) != 1:
            return node
        node = values[0]
    return node


def _norms_of(node: ast.expr, made: dict[str, list[ast.expr]]) -> set[str]:
    """Whether a norm is that of the first rows or of the rest; nothing where it is no norm."""
    parts: list[ast.AST] = [node]
    sides: set[str] = set()
    norms = False
    for _ in range(_DEEPEST):
        inner = [n for part in parts for n in ast.walk(part)]
        sides |= {s for n in inner if (s := _side(n)) is not None}
        norms = norms or any(
            (isinstance(n, ast.Attribute) and n.attr in {"norm", "vector_norm"}) for n in inner
        )
        names = [n.id for n in inner if isinstance(n, ast.Name)]
        parts = [made[n][0] for n in names if len(made.get(n, [])) == 1]
    return sides if norms else set()
