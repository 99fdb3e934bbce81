"""Class indices of the shape [B, 1] given to a cross-entropy."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.kinds import INDICES
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.mistakes.label_column import MESSAGE
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE188": ("LABEL-SHAPE",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """For tensors [B, C]."""
    if not look.is_torch or look.judged.ranks.order[0] != 2 or MESSAGE.search(look.words):
        return  # where the error message stands, it is told by that
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name not in {"cross_entropy", "nll_loss"}:
                continue
            target = part.args[1] if len(part.args) > 1 else None
            if target is None or not _is_column(look, target):
                continue
            node = _written(look, target)
            if node is not None:
                text = ast.unparse(node.func.value)  # type: ignore[attr-defined]
                fix = Fix(
                    (Edit(span(node), text),), "unsafe", Text("One number each", "去掉多余的维")
                )
                yield finding("KE188", Severity.ERROR, node, fix, text=ast.unparse(node))
                return


def _is_column(look: Look, node: Node) -> bool:
    """``y.unsqueeze(1)``, ``y.view(-1, 1)`` of class indices."""
    if not isinstance(node, Call) or not node.args or not isinstance(node.args[0], Given):
        return False
    numbers = [a.value for a in node.args[1:] if isinstance(a, Constant)]
    column = (node.name == "unsqueeze" and numbers[:1] in ([1], [-1])) or (
        node.name in {"view", "reshape"} and numbers == [-1, 1]
    )
    return column and look.judged.kinds.get(node.args[0]) in INDICES


def _written(look: Look, target: Node) -> ast.Call | None:
    for node in nodes_of(look.judged.tracer.tree):
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if method and look.judged.tracer.values.get(id(node)) is target:
            return node  # type: ignore[return-value]
    return None
