"""Differences of all pairs of rows that are normalised along another dimension than the last."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.idioms._match import arg, is_call, is_same, number, spread
from didact.check.explain.mistakes._look import Look, called, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE238": ("DIRECTIONS",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """``F.normalize(e.unsqueeze(0) - e.unsqueeze(1), dim=1)``, which is [B, B, D]."""
    if not look.is_torch:
        return
    found: dict[int, ast.Call] = {}
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if isinstance(part, Call) and _is_of_pairs(part):
                node = called(look, part, "normalize")
                if node is not None:
                    found[id(node)] = node
    if not found:
        return
    edits = tuple(_last(node) for node in found.values())
    fix = Fix(edits, "unsafe", Text("The vectors themselves", "沿向量维"))
    node = next(iter(found.values()))
    yield finding("KE238", Severity.ERROR, node, fix, text=ast.unparse(node))


def _is_of_pairs(part: Call) -> bool:
    if part.name != "normalize" or not is_call(part.args[0], "sub"):
        return False
    if number(arg(part, 2, "dim")) not in {None, 0, 1}:
        return False
    sides = [spread(a) for a in part.args[0].args]
    if sides[0] is None or sides[1] is None:
        return False
    (one, first), (other, second) = sides[0], sides[1]
    return {first, second} == {0, 1} and is_same(_bare(one), _bare(other))


def _bare(node: Node) -> Node:
    while is_call(node, "detach", "identity"):
        node = node.args[0]
    return node


def _last(node: ast.Call) -> Edit:
    """``dim=2`` in a call of ``normalize``."""
    given = next((k.value for k in node.keywords if k.arg == "dim"), None)
    if given is None and len(node.args) > 2:
        given = node.args[2]
    if given is not None:
        return Edit(span(given), "2")
    shown = ", ".join([*map(ast.unparse, node.args), *map(ast.unparse, node.keywords), "dim=2"])
    return Edit(span(node), f"{ast.unparse(node.func)}({shown})")
