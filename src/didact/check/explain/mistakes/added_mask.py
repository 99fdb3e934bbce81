"""A mask that is added with the wrong sign or size."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE124": ("MASK-SIGN",)}


_CERTAIN = 20.0
"""A number that no difference of scores outweighs."""
_HOT = re.compile(r"(^|_)(gt|target|true|label)_?(mask|hot|onehot)|one_?hot", re.IGNORECASE)
_CASTS = frozenset({"floating", "integers", "booleans", "identity", "detach", "ne", "gt", "eq"})


# Masks and axes


def _masks(judged: Judged) -> Iterator[Finding]:
    """``softmax(z + 1000 * one_hot)``: the true class wins on both sides."""
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Call) or "softmax" not in last_name(node.func):
            continue
        for inner in node.args[:1]:
            for part in nodes_of(inner):
                number = _added_mask(judged, part)
                if number is not None and isinstance(part, ast.BinOp):
                    text = f"{ast.unparse(part.left)} - {ast.unparse(part.right)}"
                    fix = Fix((Edit(span(part), text),), "unsafe", Text("Subtract", "改为减"))
                    yield finding("KE124", Severity.ERROR, part, fix, number=f"{number:g}")


def _added_mask(judged: Judged, node: ast.AST) -> float | None:
    """The number of ``z + 1000 * mask`` where the mask is one-hot."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add):
        return None
    product = node.right
    if not isinstance(product, ast.BinOp) or not isinstance(product.op, ast.Mult):
        return None
    for one, other in ((product.left, product.right), (product.right, product.left)):
        value = judged.tracer.values.get(id(one))
        if not isinstance(value, Constant) or not isinstance(value.value, int | float):
            continue
        hot = judged.tracer.values.get(id(other))
        while isinstance(hot, Call) and hot.name in _CASTS:
            hot = hot.args[0]
        is_hot = isinstance(hot, Call) and hot.name in {"one_hot", "scatter"}
        is_hot |= isinstance(hot, Given) and _HOT.search(hot.text) is not None
        if is_hot and value.value >= _CERTAIN:
            return float(value.value)
    return None


def in_formulas(look: Look) -> Iterator[Finding]:
    """In all values."""
    if not look.is_torch:
        return
    yield from _masks(look.judged)
