"""A mask of [B, H, W] that is multiplied with maps of [B, C, H, W]."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Given, Node
from didact.check.explain.idioms._match import is_call
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE235": ("MASK-SHAPE",)}
_TOLD = re.compile(
    r"([A-Za-z_]\w*)\s*[:：=]?\s*[\[(（]\s*(?:B|N|b|n|bs|batch)\s*[,，]([^\])）]*)[\])）]"
)
_SAME = frozenset(
    {"sub", "add", "pow", "square", "abs", "mul", "relu", "mse_loss", "l1_loss", "detach",
     "smooth_l1_loss", "identity", "floating"}
)  # fmt: skip
"""What keeps the dimensions of its first argument."""


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where words or comments give the shapes of both."""
    if not look.is_torch or not look.judged.ranks.certain or look.judged.ranks.order[0] != 4:
        return
    flat = {name for name, rank in _told(look).items() if rank == 3}
    if not flat:
        return
    for node in nodes_of(look.judged.tracer.tree):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            continue
        for mask, other in ((node.left, node.right), (node.right, node.left)):
            value = look.judged.tracer.values.get(id(other))
            if isinstance(mask, ast.Name) and mask.id in flat and _is_of_maps(look, value):
                text = f"{mask.id}.unsqueeze(1)"
                message = Text("A dimension for the channels", "补上通道维")
                fix = Fix((Edit(span(mask), text),), "unsafe", message)
                yield finding("KE235", Severity.ERROR, node, fix, mask=mask.id)
                return


def _told(look: Look) -> dict[str, int]:
    """The number of dimensions that words, comments and docstrings give a name."""
    texts = [look.words]
    texts += [
        ast.get_docstring(node) or "" for node in nodes_of(look.judged.tracer.tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]  # fmt: skip
    found: dict[str, int] = {}
    for text in texts:
        for match in _TOLD.finditer(text):
            sizes = [s for s in re.split(r"[,，]", match[2]) if s.strip()]
            found.setdefault(match[1], len(sizes) + 1)
    return found


def _is_of_maps(look: Look, value: object) -> bool:
    """Whether a part is made of student and teacher, element by element."""
    sides: set[str] = set()
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, Given) and part in look.judged.roles:
            sides.add(look.judged.roles[part].role)
        elif isinstance(part, Node) and is_call(part, *_SAME):
            pending += part.args[:2]
    return {"student", "teacher"} <= sides
