"""A softmax over positions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.kinds import Kind
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.ranks import dimensions
from didact.check.explain.formula.tree import Call, Constant, Given, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.mistakes._positions import HEAD, TAIL, cut_of, cuts
from didact.check.explain.mistakes._shapes import told_rank
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE131": ("DIM-SEQ",)}
_AXES = {
    3: {1: Text("the positions", "位置")},
    4: {2: Text("the height", "高"), 3: Text("the width", "宽")},
}
"""What the dimensions are that hold no classes, by their number."""
_CLASSES = {3: -1, 4: 1}


def _axes(look: Look) -> Iterator[Finding]:
    """A softmax over positions, of tensors whose shape is told."""
    judged = look.judged
    cut = _cut_by_one(judged)
    for node in nodes_of(judged.tracer.tree):
        if not isinstance(node, ast.Call):
            continue
        value = judged.tracer.values.get(id(node))
        if not isinstance(value, Call) or value.name not in {"softmax", "log_softmax"}:
            continue
        inner = value.args[0]
        while isinstance(inner, Call) and (inner.name in _SAME_SHAPE or _is_cut(inner)):
            inner = inner.args[0]
        dim = value.keyword("dim") or (value.args[1] if len(value.args) > 1 else None)
        if not isinstance(inner, Given) or not isinstance(dim, Constant):
            continue
        rank = told_rank(look, inner) or (3 if inner in cut else 0)
        what = _AXES[rank].get(dim.value % rank) if rank in _AXES and _is_number(dim) else None
        if what is None:
            continue
        yield finding("KE131", Severity.ERROR, node, _along(node, _CLASSES[rank]), what=what,
                      shape=dimensions(rank), dim=dim.value, classes=_CLASSES[rank])  # fmt: skip


_SAME_SHAPE = frozenset({"div", "detach", "identity", "mul", "floating"})


def _is_number(dim: Constant) -> bool:
    return isinstance(dim.value, int) and not isinstance(dim.value, bool)


def _is_cut(node: Call) -> bool:
    """Whether it is ``x[:, :-1]`` or ``x[:, 1:]``."""
    return node.name == "index" and len(node.args) == 2 and bool(cut_of(node.args[1]))


def _cut_by_one(judged: Judged) -> set[Given]:
    """The scores that are cut along their positions against labels that are cut the other way."""
    found: dict[str, set[Given]] = {HEAD: set(), TAIL: set()}
    for loss in judged.losses:
        for given, cut in cuts(loss.entry.value):
            if cut:
                found[cut].add(given)
    labels = {g for g in found[TAIL] if judged.kinds.get(g) is Kind.LABELS}
    return found[HEAD] if labels else set()


def _along(node: ast.Call, dim: int) -> Fix | None:
    place = next((k.value for k in node.keywords if k.arg == "dim"), None)
    place = place or (node.args[-1] if len(node.args) > 1 else None)
    if place is None:
        return None
    return Fix((Edit(span(place), str(dim)),), "unsafe", Text("The classes", "类别维"))


def in_formulas(look: Look) -> Iterator[Finding]:
    """All are mended or none."""
    if not look.is_torch or {"DIM-SEQ", "DIM-0"} & look.known:
        return
    found = list(_axes(look))
    edits = tuple(e for f in found if f.fix is not None for e in f.fix.edits)
    if found and "BATCHMEAN-3D" not in look.known:
        yield from _summed(look)
    for one in found:
        fix = None if one.fix is None else Fix(edits, one.fix.safety, one.fix.message)
        yield Finding(one.code, one.severity, one.span, one.message, fix)


def _summed(look: Look) -> Iterator[Finding]:
    """What divides by the batch alone sums over the positions as well, whatever the softmax."""
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            reduction = part.keyword("reduction") if isinstance(part, Call) else None
            if not isinstance(reduction, Constant) or reduction.value != "batchmean":
                continue
            scores = [p for p in walk(part) if isinstance(p, Given)]
            rank = max((told_rank(look, g) for g in scores if g in look.judged.roles), default=0)
            if rank in _SIZES and part in look.places:
                size = _SIZES[rank]
                yield finding("KE113", Severity.WARNING, look.places[part], None, factor=size,
                              size=size, name=_NAME)  # fmt: skip
                return


_SIZES = {3: "S", 4: "H·W"}
_NAME = Text("its definition", "定义")
