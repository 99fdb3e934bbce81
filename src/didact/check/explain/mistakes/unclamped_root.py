"""Distances whose square is made of products, with nothing that keeps it from 0."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.idioms._match import is_call, number, product_of_rows
from didact.check.explain.mistakes._look import Look, called, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE199": ("ROOT-OF-ZERO",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """``(‖x_i‖² + ‖x_j‖² − 2·x_i·x_j).sqrt()`` of all pairs of the student's rows."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not is_call(part, "sqrt") or not _is_expanded(part.args[0]):
                continue
            node = called(look, part, "sqrt")
            if node is not None:
                yield finding("KE199", Severity.WARNING, node, _clamped(node))
                return


def _is_expanded(square: Node) -> bool:
    """Whether a part is a sum minus twice the products of all pairs of rows."""
    if not is_call(square, "sub", "add"):
        return False
    return any(_is_twice_own_products(a) for a in square.args)


def _is_twice_own_products(node: Node) -> bool:
    """``2 * (x @ x.T)``, ``(2 * x) @ x.T``."""
    if is_call(node, "mul"):
        rows = [r for a in node.args if (r := product_of_rows(a)) is not None]
        return _has_two(node) and any(one is other for one, other, _ in rows)
    found = product_of_rows(node)
    if found is None or not is_call(found[0], "mul"):
        return False
    return _has_two(found[0]) and any(a is found[1] for a in found[0].args)


def _has_two(product: Call) -> bool:
    return 2 in {abs(number(a) or 0) for a in product.args}


def _clamped(node: ast.Call) -> Fix | None:
    inner = node.args[0] if node.args else getattr(node.func, "value", None)
    if not isinstance(inner, ast.expr):
        return None
    text = ast.unparse(inner)
    text = f"({text})" if isinstance(inner, ast.BinOp) else text
    edit = Edit(span(inner), f"{text}.clamp(min=1e-12)")
    return Fix((edit,), "unsafe", Text("Keep the square above 0", "让平方大于 0"))
