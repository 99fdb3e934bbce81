"""Contrastive losses whose positives are all said to stand in column 0."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.tree import Node, walk
from didact.check.explain.idioms._match import is_call, number, product_of_rows
from didact.check.explain.mistakes._look import Look, called, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE233": ("FIRST-COLUMN",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where a product of all rows with all rows goes into a cross-entropy with zeros."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not is_call(part, "cross_entropy") or len(part.args) < 2:
                continue
            if not is_call(part.args[1], "zeros", "zeros_like") or not _of_all(part.args[0]):
                continue
            node = called(look, part.args[1], "zeros") or look.places.get(part)
            if node is not None:
                yield finding("KE233", Severity.ERROR, node, _diagonal(look, part.args[1]))


def _of_all(scores: Node) -> bool:
    """Whether scores are ``a @ b.T`` of two sides, only scaled."""
    while is_call(scores, "div", "mul", "floating", "identity"):
        tensors = [a for a in scores.args if number(a) is None]
        scores = tensors[0] if tensors else scores.args[0]
    rows = product_of_rows(scores)
    return rows is not None and not rows[2] and rows[0] is not rows[1]


def _diagonal(look: Look, zeros: Node) -> Fix | None:
    node = called(look, zeros, "zeros")
    if node is None or not node.args:
        return None
    kept = [ast.unparse(node.args[0])]
    kept += [ast.unparse(k) for k in node.keywords if k.arg == "device"]
    text = f"torch.arange({', '.join(kept)})"
    return Fix((Edit(span(node), text),), "unsafe", Text("The diagonal", "取对角线"))
