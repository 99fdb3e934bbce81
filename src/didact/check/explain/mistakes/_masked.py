"""Which names of a function hold masks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of

_ORDERS = frozenset({"ge", "gt", "le", "lt"})
Function = ast.FunctionDef | ast.AsyncFunctionDef


def masked_scopes(tree: ast.Module) -> Iterator[tuple[ast.AST, dict[str, bool]]]:
    """The functions that hold masks, or the whole code where it has no function."""
    scopes: list[ast.AST] = [n for n in nodes_of(tree) if isinstance(n, Function)] or [tree]
    for scope in scopes:
        masks = masks_of(scope)
        if masks:
            yield scope, masks


def masks_of(scope: ast.AST) -> dict[str, bool]:
    """The names that hold masks; true where they were made from labels by a comparison."""
    found: dict[str, bool] = {}
    for node in nodes_of(scope):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            compares = [n for n in nodes_of(node.value) if isinstance(n, ast.Compare)]
            if any(map(_is_by_threshold, nodes_of(node.value))):
                continue  # what counts for nothing there is meant to be in the mean
            compared = bool(compares)
            name = node.targets[0].id
            if compared and not any(isinstance(n, ast.IfExp) for n in nodes_of(node.value)):
                found[name] = True
            elif "mask" in name.lower():
                found.setdefault(name, False)
    for node in nodes_of(scope):
        if isinstance(node, ast.arg) and "mask" in node.arg.lower():
            found.setdefault(node.arg, False)
    return found


def _is_by_threshold(node: ast.AST) -> bool:
    """``confidence > 0.95``, ``confidence.ge(0.95)``: a choice of samples, no padding."""
    if isinstance(node, ast.Call) and len(node.args) in {1, 2} and last_name(node.func) in _ORDERS:
        against = node.args[-1]
    elif isinstance(node, ast.Compare):
        against = node.comparators[0]
    else:
        return False
    number = against.value if isinstance(against, ast.Constant) else None
    named = re.search(r"thr|conf|margin|tau|cutoff", ast.unparse(against), re.IGNORECASE)
    return (isinstance(number, float) and 0 < number < 1) or named is not None
