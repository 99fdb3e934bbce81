"""A mean over a selection in which a batch may have nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding, live
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE184": ("NOTHING-SELECTED",)}
_SELECTED = re.compile(
    r"(^|[._])(fg|pos|foreground|positive|conf|confident|obj|object|hard|easy|sel|select|selected"
    r"|keep|correct|wrong|overlap)", re.IGNORECASE,
)  # fmt: skip
_NAN = re.compile(r"\bnan\b|无前景|没有前景|no foreground|no positive", re.IGNORECASE)
_MEANS = frozenset({"smooth_l1_loss", "mse_loss", "l1_loss", "huber_loss", "cross_entropy",
                    "binary_cross_entropy_with_logits", "mean"})  # fmt: skip


def in_formulas(look: Look) -> Iterator[Finding]:
    """Quotients by the number of what is selected, and means over it."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if isinstance(part, Call) and part.name == "div" and len(part.args) == 2:
                mask = _counted(part.args[1])
                if mask is not None and _may_be_nothing(look, mask):
                    yield _quotient(look, loss, part, mask)
                    return
            if isinstance(part, Call) and part.name in _MEANS and _is_mean(part):
                mask = _selected(part)
                if mask is not None and _may_be_nothing(look, mask):
                    node = look.places.get(part) or loss.entry.node
                    yield finding("KE184", Severity.WARNING, node, None, mask=_name(look, mask))
                    return


def _counted(node: Node) -> Node | None:
    """The mask whose plain sum it is."""
    node = live(node)
    while isinstance(node, Call) and node.name in {"floating", "item"}:
        node = node.args[0]
    if isinstance(node, Call) and node.name == "sum" and len(node.args) == 1 and not node.keywords:
        inner = node.args[0]
        while isinstance(inner, Call) and inner.name in {"floating", "detach", "identity"}:
            inner = inner.args[0]
        return inner
    return None


def _is_mean(part: Call) -> bool:
    reduction = part.keyword("reduction")
    return reduction is None or (isinstance(reduction, Constant) and reduction.value == "mean")


def _selected(part: Call) -> Node | None:
    """The mask by which the first argument is picked."""
    value = live(part.args[0])
    if isinstance(value, Call) and value.name in {"index", "masked_select"}:
        key = value.args[-1]
        return key if _is_mask(key) else None
    return None


def _is_mask(node: Node) -> bool:
    compared = isinstance(node, Call) and node.name in {"gt", "ge", "lt", "le"}
    return compared or (isinstance(node, Given) and bool(_SELECTED.search(node.text)))


def _may_be_nothing(look: Look, mask: Node) -> bool:
    """Whether a batch without any is an ordinary one, or the words tell of NaN."""
    if isinstance(mask, Given):
        text = f"{mask.text} {look.judged.tracer.labels.get(mask, '')}"
        if "attention" in text or "pad" in text:
            return False
        return bool(_SELECTED.search(text) or _NAN.search(look.words))
    return isinstance(mask, Call) and mask.name in {"gt", "ge", "lt", "le"} and not any(
        isinstance(p, Constant) and p.value in {-1, -100, 0} for p in mask.args
    )  # fmt: skip


def _name(look: Look, mask: Node) -> str:
    node = look.places.get(mask)
    text = look.judged.tracer.labels.get(mask) or getattr(mask, "text", "")
    return text or (ast.unparse(node) if node is not None else "the mask")


def _quotient(look: Look, loss: Loss, part: Call, mask: Node) -> Finding:
    node = look.places.get(part) or loss.entry.node
    fix = None
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Call):
        edit = Edit(span(node.right), f"{ast.unparse(node.right)}.clamp(min=1)")
        fix = Fix((edit,), "safe", Text("At least 1", "至少为 1"))
    return finding("KE184", Severity.WARNING, node, fix, mask=_name(look, mask))
