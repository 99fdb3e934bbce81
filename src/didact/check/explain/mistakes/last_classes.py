"""The last classes where the old ones are meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE143": ("LAST-CLASSES",)}


_OLD = re.compile(r"old|known|prev|base|seen", re.IGNORECASE)


def _last_classes(node: ast.Subscript) -> Iterator[Finding]:
    """``out[:, -n_old:]``: the last classes are the new ones."""
    assert isinstance(node.slice, ast.Tuple)
    for part in node.slice.elts[1:]:
        if not isinstance(part, ast.Slice) or part.upper is not None or part.step is not None:
            continue
        lower = part.lower
        if not isinstance(lower, ast.UnaryOp) or not isinstance(lower.op, ast.USub):
            continue
        name = ast.unparse(lower.operand)
        if isinstance(lower.operand, ast.Name | ast.Attribute) and _OLD.search(name):
            fix = Fix((Edit(span(part), f":{name}"),), "unsafe", Text("The first", "取前面的"))
            message = OWN["KE143"].format(code=f"`{ast.unparse(node)}`", name=name)
            yield Finding("KE143", Severity.ERROR, span(node), message, fix)


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Slice by slice."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            yield from _last_classes(node)
