"""Maps that are flattened to rows of classes without moving the classes last."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.mistakes._shapes import told_rank
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE172": ("VIEW-MIXES",)}
_SAME_ORDER = frozenset({"div", "mul", "detach", "identity", "floating", "interpolate", "index"})
_NAMED = frozenset(
    {"c", "k", "n_classes", "num_classes", "n_class", "num_class", "classes", "ncls"}
)


def in_formulas(look: Look) -> Iterator[Finding]:
    """In losses of [B, C, H, W]."""
    if not look.is_torch or look.judged.ranks.order[0] != 4:
        return
    found = [f for loss in look.judged.losses for f in _of_formula(look, loss.entry.value)]
    edits = tuple(dict.fromkeys(e for f in found if f.fix is not None for e in f.fix.edits))
    for one in found[:1]:
        fix = None if one.fix is None else Fix(edits, one.fix.safety, one.fix.message)
        yield Finding(one.code, one.severity, one.span, one.message, fix)


def _of_formula(look: Look, root: Node) -> Iterator[Finding]:
    for part in walk(root):
        if not isinstance(part, Call) or part.name not in {"view", "reshape"}:
            continue
        if len(part.args) != 3 or not _is_minus_one(part.args[1]):
            continue
        maps = _maps(part.args[0])
        if maps is None or not _counts_classes(look, part.args[2], maps):
            continue
        node = look.places.get(part)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield finding("KE172", Severity.ERROR, node, _moved(node), text=ast.unparse(node))


def _is_minus_one(node: Node) -> bool:
    return isinstance(node, Constant) and node.value == -1


def _maps(node: Node) -> Given | None:
    """The output of a network, where its dimensions are still in their order."""
    while isinstance(node, Call) and node.name in _SAME_ORDER:
        if node.name == "index" and not _is_whole(node):
            return None
        node = node.args[0]
    return node if isinstance(node, Given) else None


def _is_whole(node: Call) -> bool:
    """Whether an index keeps all dimensions: ``x[:, :k]``."""
    key = node.args[1]
    return isinstance(key, Call) and key.name == "key" and all(
        isinstance(a, Call) and a.name == "slice" for a in key.args
    )  # fmt: skip


def _counts_classes(look: Look, node: Node, maps: Given) -> bool:
    """Whether a size is that of dim 1, or a number of classes where the shape is told."""
    told = told_rank(look, maps)
    if told != 4 and look.judged.ranks.certain:
        return False
    if isinstance(node, Call) and node.name in {"size", "index"} and node.args:
        inner, last = node.args[0], node.args[-1]
        sized = node.name == "size" or (isinstance(inner, Call) and inner.name == "size")
        return sized and isinstance(last, Constant) and last.value in {1, -3}
    named = isinstance(node, Given) and node.text.lower().removeprefix("self.") in _NAMED
    return named and told == 4


def _moved(node: ast.Call) -> Fix | None:
    """The classes last, then the rows."""
    assert isinstance(node.func, ast.Attribute)
    base, size = node.func.value, node.args[-1]
    if len(node.args) != 2 or (isinstance(base, ast.Name) and base.id == "torch"):
        return None
    while isinstance(base, ast.Call) and isinstance(base.func, ast.Attribute):
        if base.func.attr != "contiguous" or base.args:
            break
        base = base.func.value
    inner = ast.unparse(base)
    inner = f"({inner})" if isinstance(base, ast.BinOp) else inner
    text = f"{inner}.permute(0, 2, 3, 1).reshape(-1, {ast.unparse(size)})"
    return Fix((Edit(span(node), text),), "unsafe",
               Text("Move the classes last first", "先把类别维移到最后"))  # fmt: skip
