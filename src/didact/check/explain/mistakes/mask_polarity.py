"""A mask that keeps the padding and leaves out what counts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE177": ("MASK-POLARITY",)}
_CASTS = frozenset({"floating", "booleans", "detach", "identity", "unsqueeze", "view", "reshape",
                    "flatten"})  # fmt: skip
_PAD = re.compile(r"pad|ignore|void", re.IGNORECASE)
_UNLABELLED = re.compile(r"unlabel|semi.?superv|无标签|半监督|consistency", re.IGNORECASE)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where a divergence or another loss of positions is masked."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            mask = _kept(part)
            if mask is not None and _is_padding(look, mask):
                yield _found(look, loss, mask, ast.Eq, ast.NotEq)
                return
            mask = _left_out(part)
            if mask is not None and _is_valid(mask):
                yield _found(look, loss, mask, ast.NotEq, ast.Eq)
                return


def _kept(part: Node) -> Node | None:
    """The mask that a mean is over, or that rows are picked by."""
    if not isinstance(part, Call):
        return None
    if part.name == "div" and len(part.args) == 2:
        below = _plain(part.args[1])
        counted = isinstance(below, Call) and below.name == "sum" and len(below.args) == 1
        mask = _plain(below.args[0]) if counted and isinstance(below, Call) else None
        above = [p for p in walk(part.args[0]) if isinstance(p, Call) and p.name == "mul"]
        used = any(_plain(a) is mask or _same(_plain(a), mask) for p in above for a in p.args)
        return mask if used else None
    if part.name in {"index", "masked_select"} and len(part.args) == 2:
        return _plain(part.args[1])
    return None


def _left_out(part: Node) -> Node | None:
    """The mask of what ``masked_fill`` sets to 0."""
    if isinstance(part, Call) and part.name == "masked_fill" and len(part.args) == 3:
        value = part.args[2]
        if isinstance(value, Constant) and value.value == 0:
            return _plain(part.args[1])
    return None


def _plain(node: Node) -> Node:
    while isinstance(node, Call) and node.name in _CASTS and node.args:
        node = node.args[0]
    return node


def _same(one: Node, other: Node | None) -> bool:
    """Whether two comparisons are of the same two values."""
    alike = isinstance(one, Call) and isinstance(other, Call) and one.name == other.name
    if not alike or not isinstance(one, Call) or not isinstance(other, Call):
        return False
    return len(one.args) == len(other.args) and all(
        a is b or (isinstance(a, Constant) and isinstance(b, Constant) and a.value == b.value)
        for a, b in zip(one.args, other.args, strict=True)
    )


def _is_padding(look: Look, mask: Node) -> bool:
    """``labels == -100``, ``ids.eq(pad_id)``."""
    if not isinstance(mask, Call) or mask.name != "eq" or len(mask.args) != 2:
        return False
    against = mask.args[1]
    if isinstance(against, Given):
        return bool(_PAD.search(against.text))
    number = against.value if isinstance(against, Constant) else None
    if number == -100:
        return True
    told = bool(_PAD.search(look.words)) or "忽略" in look.words
    return number == 255 and told and not _UNLABELLED.search(look.words)


def _is_valid(mask: Node) -> bool:
    """``attention_mask``, ``labels != -100``."""
    if isinstance(mask, Given):
        return re.search(r"attention_mask|attn_mask|valid", mask.text) is not None
    if not isinstance(mask, Call) or mask.name != "ne" or len(mask.args) != 2:
        return False
    against = mask.args[1]
    named = isinstance(against, Given) and bool(_PAD.search(against.text))
    return named or (isinstance(against, Constant) and against.value == -100)


def _found(
    look: Look, loss: Loss, mask: Node, wrong: type[ast.cmpop], right: type[ast.cmpop]
) -> Finding:
    place, fix = _turned(look, mask, wrong, right)
    node = place or loss.entry.node
    text = ast.unparse(node) if place is not None else "the mask"
    return finding("KE177", Severity.ERROR, node, fix, text=text)


def _turned(
    look: Look, mask: Node, wrong: type[ast.cmpop], right: type[ast.cmpop]
) -> tuple[ast.AST | None, Fix | None]:
    """The comparison the other way round, or ``~`` before the mask."""
    message = Text("Turn the mask round", "把掩码反过来")
    signs = {ast.Eq: "==", ast.NotEq: "!="}
    names = {ast.Eq: "eq", ast.NotEq: "ne"}
    for node in nodes_of(look.judged.tracer.tree):
        value = look.judged.tracer.values.get(id(node))
        if isinstance(node, ast.Compare) and value is mask and isinstance(node.ops[0], wrong):
            text = f"{ast.unparse(node.left)} {signs[right]} {ast.unparse(node.comparators[0])}"
            return node, Fix((Edit(span(node), text),), "unsafe", message)
        method = isinstance(node, ast.Call) and last_name(node.func) == names[wrong]
        if method and value is mask and isinstance(node, ast.Call):
            text = ast.unparse(node)
            function = ast.unparse(node.func)
            turned = function.removesuffix(names[wrong]) + names[right] + text[len(function) :]
            return node, Fix((Edit(span(node), turned),), "unsafe", message)
    if isinstance(mask, Given):
        for node in nodes_of(look.judged.tracer.tree):
            if isinstance(node, ast.Call) and last_name(node.func) == "masked_fill":
                given = node.args[0]
                text = ast.unparse(given)
                turned = f"~{text}" if text.endswith(".bool()") else f"~{text}.bool()"
                return node, Fix((Edit(span(given), turned),), "unsafe", message)
    return None, None
