"""The old model's outputs written over the labels of the new classes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.kinds import INDICES, Kind
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.mistakes._classes import class_slices, is_of_old_model, kind_of
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE174": ("HALVES-EXCHANGED",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where a part of the one-hot labels is replaced."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name != "put" or len(part.args) != 3:
                continue
            told = kind_of(part.args[1])
            if told is None or told[0] != "rest" or not _is_of_labels(look, part.args[0]):
                continue
            if not is_of_old_model(look, part.args[2]):
                continue
            if any(kind == "first" for _, kind, _ in class_slices(part.args[0])):
                continue
            node = _statement(look, told[1].text)
            if node is not None:
                yield finding("KE174", Severity.ERROR, node, _fix(node), name=told[1].text)
                return


def _is_of_labels(look: Look, node: Node) -> bool:
    kinds = {look.judged.kinds.get(g) for g in leaves(node)}
    hot = any(isinstance(p, Call) and p.name in {"one_hot", "scatter"} for p in walk(node))
    return Kind.HOT in kinds or (hot and bool(kinds & INDICES))


def _statement(look: Look, name: str) -> ast.Assign | None:
    for node in nodes_of(look.judged.tracer.tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            key = node.targets[0].slice
            last = key.elts[-1] if isinstance(key, ast.Tuple) else key
            lower = last.lower if isinstance(last, ast.Slice) else None
            if lower is not None and ast.unparse(lower) == name:
                return node
    return None


def _fix(node: ast.Assign) -> Fix:
    """The other half, on both sides."""
    edits: list[Edit] = []
    for side in (node.targets[0], node.value):
        slices = [p for p in nodes_of(side) if isinstance(p, ast.Slice) and p.upper is None]
        edits += [Edit(span(p), f":{ast.unparse(p.lower)}") for p in slices if p.lower is not None]
    return Fix(tuple(edits), "unsafe", Text("The old classes", "取旧类"))
