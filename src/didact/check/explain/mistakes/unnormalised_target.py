"""Targets that do not sum to one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.arrays import Array, EvaluationError
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.tree import Call, Constant, Each, Node, walk
from didact.check.explain.formula.verdict import laboratory
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE137": ("TARGET-SUM",)}


def _unnormalised(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """A target made of softmaxes whose sum over the classes is another number than 1."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name != "kl_div" or len(part.args) < 2:
            continue
        target = part.args[1]
        soft = [p for p in walk(target) if isinstance(p, Call) and p.name == "softmax"]
        if not soft or any(k == "log_target" for k, _ in part.keywords):
            continue
        total = _sum_of(judged, loss, target)
        if total is None or abs(total - round(total)) > 1e-6 or round(total) < 2:
            continue
        summed = next((p for p in walk(target) if isinstance(p, Each)), None)
        node = places.get(part) or loss.entry.node
        second = node.args[1] if isinstance(node, ast.Call) and len(node.args) > 1 else None
        over = summed.loop.text if summed is not None else ""
        shown = "N" if summed is not None else f"{total:g}"
        count = f"len({over})" if over.isidentifier() else "" if summed is not None else shown
        fix = None
        if second is not None and count:
            text = f"({ast.unparse(second)}) / {count}"
            text = text.replace("(", "", 1).replace(")", "", 1) if _is_atom(second) else text
            fix = Fix((Edit(span(second), text),), "unsafe", Text("Average them", "取平均"))
        yield finding("KE137", Severity.ERROR, node, fix, total=shown)


def _is_atom(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute)


def _sum_of(judged: Judged, loss: Loss, target: Node) -> float | None:
    """What a target sums to over the classes; None where it varies."""
    rank = loss.branches[0].rank
    lab = laboratory(loss.entry.value, judged.roles, rank, incremental=judged.incremental)
    try:
        value = lab.raw(target, lab.base)
        over = lab.raw(
            Call("sum", (target,), (("dim", Constant(1 if rank == 4 else -1)),)), lab.base
        )
    except EvaluationError:
        return None
    if not isinstance(value, Array) or not isinstance(over, Array) or value.rank != rank:
        return None
    sums = [float(x) for x in over.data]
    if not sums or max(sums) - min(sums) > 1e-6 or min(value.data) < 0:
        return None
    return sums[0]


def in_formulas(look: Look) -> Iterator[Finding]:
    """Loss by loss."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        yield from _unnormalised(look.judged, loss, look.places)
