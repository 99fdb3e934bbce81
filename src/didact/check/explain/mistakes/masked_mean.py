"""A mean over what was masked out."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._masked import masked_scopes
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE129": ("MASKED-MEAN",)}

MEAN_OVER_ALL = "KE129"


def _mask_of(node: ast.expr, masks: dict[str, bool]) -> str | None:
    """The mask that a product multiplies with, as it is written."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return None
    for side in (node.right, node.left):
        base = side
        while isinstance(base, ast.Call | ast.Attribute | ast.Subscript):
            base = base.func if isinstance(base, ast.Call) else base.value
        if isinstance(base, ast.Name) and base.id in masks:
            return ast.unparse(side)
    return None


def _means(scope: ast.AST, masks: dict[str, bool]) -> Iterator[Finding]:
    """``(x * mask).mean()``: what was masked out still counts in the denominator."""
    masked: dict[str, str] = {}
    for node in nodes_of(scope):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            mask = _mask_of(node.value, masks)
            if mask is not None:
                masked[node.targets[0].id] = mask
    divided = [n for n in nodes_of(scope) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    for node in nodes_of(scope):
        if not isinstance(node, ast.Call) or last_name(node.func) != "mean" or node.keywords:
            continue
        method = isinstance(node.func, ast.Attribute) and not node.args
        value = node.func.value if method else node.args[0] if len(node.args) == 1 else None  # type: ignore[attr-defined]
        if value is None or (not method and ast.unparse(node.func) != "torch.mean"):
            continue
        mask = masked.get(value.id) if isinstance(value, ast.Name) else _mask_of(value, masks)
        if mask is None or any(
            any(n is node for n in nodes_of(d.left)) and "mask" in ast.unparse(d.right)
            for d in divided
        ):
            continue
        text = ast.unparse(value)
        text = text if isinstance(value, ast.Name) else f"({text})"
        fix = Fix((Edit(span(node), f"({text}.sum() / {mask}.sum())"),), "unsafe",
                  Text("Divide by what the mask selects", "除以掩码选中的个数"))  # fmt: skip
        message = OWN[MEAN_OVER_ALL].format(mask=mask)
        yield Finding(MEAN_OVER_ALL, Severity.WARNING, span(node), message, fix)


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Function by function."""
    for scope, masks in masked_scopes(tree):
        yield from _means(scope, masks)
