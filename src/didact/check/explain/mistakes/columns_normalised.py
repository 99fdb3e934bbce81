"""Vectors of samples that are normalised, or compared, along the batch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.idioms._match import arg, dim_of, is_call, number, product_of_rows
from didact.check.explain.idioms.maps import is_row_per_sample
from didact.check.explain.mistakes._look import Look, called, finding, live
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE230": ("COLUMNS-NORMALISED",), "KE231": ("COSINE-OF-COLUMNS",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where the code shows that dim 0 is the batch."""
    if not look.is_torch:
        return
    parts = [p for loss in look.judged.losses for p in walk(loss.entry.value)]
    compared = {id(live(side)) for p in parts for side in _rows(p)}
    found = [
        node for p in parts
        if isinstance(p, Call) and p.name == "normalize" and dim_of(p, 2) == 0
        and (is_row_per_sample(live(p.args[0])) or id(p) in compared)
        and (node := called(look, p, "normalize")) is not None
    ]  # fmt: skip
    edits = tuple(dict.fromkeys(e for node in found if (e := _rows_instead(node, 2))))
    if found:
        node = found[0]
        fix = Fix(edits, "unsafe", Text("Each sample's row", "逐样本归一化")) if edits else None
        yield finding("KE230", Severity.ERROR, node, fix, text=ast.unparse(node))
    for part in parts:
        cosine = _averaged_cosine(part)
        place = called(look, cosine, "cosine_similarity") if cosine is not None else None
        if place is not None:
            edit = _rows_instead(place, 2)
            message = Text("Each sample's vector", "逐样本计算")
            fix = Fix((edit,), "unsafe", message) if edit else None
            yield finding("KE231", Severity.ERROR, place, fix, text=ast.unparse(place))


def _rows(part: Node) -> tuple[Node, ...]:
    """What a product compares row by row: ``a`` and ``b`` of ``a @ b.T``."""
    rows = product_of_rows(part)
    return rows[:2] if rows is not None and not rows[2] else ()


def _averaged_cosine(part: Node) -> Call | None:
    """The cosine along dim 0 of which a mean is taken: several of them, so not of one vector."""
    if not is_call(part, "mean") or len(part.children) != 1:
        return None
    inner = part.args[0]
    while is_call(inner, "sub", "neg", "add", "mul"):
        inner = next((a for a in inner.args if number(a) is None), inner.args[0])
    cosine = is_call(inner, "cosine_similarity") and number(arg(inner, 2, "dim")) == 0
    return inner if cosine and isinstance(inner, Call) else None


def _rows_instead(node: ast.AST, place: int) -> Edit | None:
    """``dim=-1`` for ``dim=0``."""
    if not isinstance(node, ast.Call):
        return None
    given = [k.value for k in node.keywords if k.arg == "dim"]
    given += node.args[place : place + 1]
    return Edit(span(given[0]), "1") if given else None
