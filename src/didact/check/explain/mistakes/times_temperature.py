"""Similarities that are multiplied by the temperature of a contrastive loss."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE182": ("T-INVERTED",)}
_NAMED = re.compile(r"(^|[._])(tau|temp|temperature|T|t|nce_t)$")
_PRODUCTS = frozenset({"matmul", "mm", "bmm", "einsum", "linear"})


def in_formulas(look: Look) -> Iterator[Finding]:
    """In cross-entropies of products of embeddings."""
    if not look.is_torch or "T-INVERTED" in look.known:
        return
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name not in {"cross_entropy", "log_softmax"}:
                continue
            scores = part.args[0]
            if not isinstance(scores, Call) or scores.name != "mul" or len(scores.args) != 2:
                continue
            given = next((a for a in scores.args if _is_temperature(a)), None)
            products = [p for p in walk(scores) if isinstance(p, Call) and p.name in _PRODUCTS]
            if given is None or not products:
                continue
            node = look.places.get(scores)
            yield finding("KE182", Severity.ERROR, node or loss.entry.node, _fix(look, scores),
                          name=_text(given))  # fmt: skip


def _is_temperature(node: Node) -> bool:
    if isinstance(node, Constant):
        return False
    large = isinstance(node, Given) and isinstance(node.default, int | float) and node.default >= 1
    return isinstance(node, Given) and bool(_NAMED.search(node.text)) and not large


def _text(node: Node) -> str:
    return node.text if isinstance(node, Given) else ""


def _fix(look: Look, scores: Call) -> Fix | None:
    for node in nodes_of(look.judged.tracer.tree):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            continue
        if look.judged.tracer.values.get(id(node)) is scores and not isinstance(
            node.right, ast.BinOp
        ):
            left = ast.unparse(node.left)
            left = f"({left})" if isinstance(node.left, ast.BinOp) else left
            edit = Edit(span(node), f"{left} / {ast.unparse(node.right)}")
            named = _NAMED.search(ast.unparse(node.right)) is not None
            return Fix((edit,), "unsafe", Text("Divide by it", "改为除以")) if named else None
    return None
