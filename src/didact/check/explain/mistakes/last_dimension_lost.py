"""A part of ``x[..., k]`` that is multiplied with one of ``x[..., :k]``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given, Node
from didact.check.explain.idioms._match import is_call, number
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE236": ("LAST-DIM",)}
_EACH = frozenset(
    {"sub", "add", "mul", "pow", "square", "abs", "exp", "log", "neg", "sigmoid", "relu", "detach",
     "identity", "floating", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "clamp",
     "binary_cross_entropy_with_logits", "binary_cross_entropy"}
)  # fmt: skip
"""What works element by element: its result has the dimensions of its first argument."""
_LOSSES = frozenset(n for n in _EACH if n.endswith(("_loss", "_logits", "_entropy")))


def in_formulas(look: Look) -> Iterator[Finding]:
    """Products of a slice along the last dimension and of one entry of it."""
    if not look.is_torch:
        return
    values = look.judged.tracer.values
    for node in nodes_of(look.judged.tracer.tree):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            continue
        for narrow, wide in ((node.left, node.right), (node.right, node.left)):
            left, right = values.get(id(narrow)), values.get(id(wide))
            if not isinstance(left, Node) or not isinstance(right, Node):
                continue
            if _last_of(left) == "entry" and _last_of(right) == "slice":
                text = ast.unparse(narrow)
                whole = f"({text})" if isinstance(narrow, ast.BinOp) else text
                edit = Edit(span(narrow), f"{whole}.unsqueeze(-1)")
                message = Text("Keep the dimension", "保留这一维")
                fix = Fix((edit,), "unsafe", message)
                yield finding("KE236", Severity.ERROR, node, fix, text=text)


def _last_of(part: Node) -> str:
    """Whether a part is a slice of the last dimension, or one entry of it, which drops it."""
    while is_call(part, *_EACH) and part.args:
        if part.name in _LOSSES and not _is_unreduced(part):
            return ""
        tensors = [a for a in part.args[:2] if number(a) is None]
        kinds = {_last_of(a) for a in tensors[1:]} - {""}
        if not tensors or (kinds and kinds != {_last_of(tensors[0])}):
            return ""
        part = tensors[0]
    if not is_call(part, "index") or not isinstance(part.args[0], Given):
        return ""
    key = part.args[1]
    if not is_call(key, "key") or len(key.args) != 2 or not _is_rest(key.args[0]):
        return ""
    if number(key.args[1]) is not None:
        return "entry"
    return "slice" if is_call(key.args[1], "slice") else ""


def _is_unreduced(part: Call) -> bool:
    reduction = part.keyword("reduction")
    return isinstance(reduction, Constant) and reduction.value == "none"


def _is_rest(node: Node) -> bool:
    return isinstance(node, Constant) and node.value is Ellipsis
