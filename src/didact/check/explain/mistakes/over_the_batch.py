"""A softmax over the samples."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.kinds import INDICES
from didact.check.explain.formula.roles import leaves
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE116": ("DIM-0",)}


def _over_the_batch(
    judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]
) -> Iterator[Finding]:
    """A softmax over dim 0 of tensors that are told to be a batch, also one written by hand."""
    parts = list(walk(loss.entry.value))
    batched = judged.ranks.certain or any(map(_is_per_batch, parts))
    batched |= any(_is_mean_of_sums(p) or _is_of_labels(judged, p) for p in parts)
    if not batched:
        return
    for part in walk(loss.entry.value):
        if not isinstance(part, Call):
            continue
        node = places.get(part)
        by_hand = isinstance(node, ast.BinOp) and part.name == "div"
        called = isinstance(node, ast.Call) and part.name in last_name(node.func).lower()
        called |= (
            isinstance(node, ast.Call)
            and "softmax" in last_name(node.func).lower()
            and any(
                isinstance(a, ast.Constant)
                for a in [*node.args[1:], *(k.value for k in node.keywords)]
            )
        )
        if node is None or not (by_hand or called) or not _is_over_rows(part):
            continue
        whose = leaves(part.args[0])
        scores = {judged.roles[g].role for g in whose if g in judged.roles}
        if not scores & {"student", "teacher"} or any(map(_is_no_score, whose)):
            continue
        yield finding("KE116", Severity.ERROR, node, _along_classes(node))


def _is_no_score(given: Given) -> bool:
    """Whether a name is one of weights: a softmax over dim 0 of these is over the teachers."""
    return bool(re.search(r"weight|alpha|prior|coef|gate|lambda|import", given.text, re.I))


def _is_over_rows(part: Call) -> bool:
    """``softmax(x, dim=0)``, or ``exp(x) / exp(x).sum(0)``."""
    if part.name in {"softmax", "log_softmax"}:
        dim = part.keyword("dim") or (part.args[1] if len(part.args) > 1 else None)
        return isinstance(dim, Constant) and dim.value == 0
    if part.name != "div" or len(part.args) != 2:
        return False
    above, below = part.args
    if not isinstance(below, Call) or below.name != "sum" or below.args[0] is not above:
        return False
    dim = below.keyword("dim") or (below.args[1] if len(below.args) > 1 else None)
    exponential = isinstance(above, Call) and above.name == "exp"
    return exponential and isinstance(dim, Constant) and dim.value == 0


def _is_per_batch(part: Node) -> bool:
    """Whether dim 0 is counted as the batch: ``batchmean``, ``/ x.size(0)``."""
    if not isinstance(part, Call):
        return False
    reduction = part.keyword("reduction")
    if isinstance(reduction, Constant) and reduction.value == "batchmean":
        return True
    return part.name == "div" and len(part.args) == 2 and _is_first_size(part.args[1])


def _is_mean_of_sums(part: Node) -> bool:
    """``x.sum(dim=1).mean()``: what is averaged last is the batch."""
    if not isinstance(part, Call) or part.name != "mean" or len(part.children) != 1:
        return False
    inner = part.args[0]
    dim = inner.keyword("dim") if isinstance(inner, Call) else None
    if isinstance(inner, Call) and dim is None and len(inner.args) > 1:
        dim = inner.args[1]
    summed = isinstance(inner, Call) and inner.name == "sum"
    return summed and isinstance(dim, Constant) and dim.value in {1, -1}


def _is_of_labels(judged: Judged, part: Node) -> bool:
    """A cross-entropy with class indices: its scores are [B, C]."""
    if not isinstance(part, Call) or part.name != "cross_entropy" or len(part.args) < 2:
        return False
    return all(judged.kinds.get(g) in INDICES for g in leaves(part.args[1]))


def _is_first_size(node: Node) -> bool:
    if not isinstance(node, Call) or not node.args:
        return False
    last = node.args[-1]
    size = node.name == "size" and len(node.args) == 2
    inner = node.args[0]
    size |= node.name == "index" and isinstance(inner, Call) and inner.name == "size"
    return size and isinstance(last, Constant) and last.value == 0


def _along_classes(node: ast.AST) -> Fix | None:
    """The class dimension instead of dim 0."""
    message = Text("The class dimension", "类别维")
    if isinstance(node, ast.BinOp):
        sums = node.right
        if not isinstance(sums, ast.Call):
            return None
        place = next((k.value for k in sums.keywords if k.arg in {"axis", "dim"}), None)
        kept = any(k.arg in {"keepdims", "keepdim"} for k in sums.keywords)
        keep = "keepdims" if any(k.arg == "axis" for k in sums.keywords) else "keepdim"
        if place is None:
            return None
        text = "-1" if kept else f"-1, {keep}=True"
        return Fix((Edit(span(place), text),), "unsafe", message)
    if not isinstance(node, ast.Call):
        return None
    place = next((k.value for k in node.keywords if k.arg in {"axis", "dim"}), None)
    place = place or (node.args[1] if len(node.args) > 1 else None)
    return Fix((Edit(span(place), "-1"),), "unsafe", message) if place is not None else None


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has found it."""
    if not look.is_torch or {"DIM-0", "TARGET-SUM"} & look.known:
        return
    for loss in look.judged.losses:
        yield from _over_the_batch(look.judged, loss, look.places)
