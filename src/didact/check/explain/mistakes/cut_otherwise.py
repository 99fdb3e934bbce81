"""Two sides cut at different positions."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Constant, Node, walk
from didact.check.explain.mistakes._look import Look, live
from didact.check.explain.mistakes._positions import HEAD, TAIL
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE145": ("POSITIONS-SHIFTED",)}


def _cut_otherwise(look: Look, loss: Loss) -> Iterator[Finding]:
    """A divergence whose two sides are cut to other positions."""
    places = look.places
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name not in _PAIRS or len(part.args) < 2:
            continue
        cuts = [_cut(a) for a in part.args[:2]]
        if None in cuts or cuts[0] == cuts[1] or not set(cuts) <= {(None, -1), (1, None)}:
            continue
        node = places.get(part) or loss.entry.node
        shown = [":-1" if c == (None, -1) else "1:" for c in cuts]
        message = OWN["KE145"].format(one=f"`[:, {shown[0]}]`", other=f"`[:, {shown[1]}]`")
        fix = _alike(look, part.args[cuts.index((1, None))])
        yield Finding("KE145", Severity.ERROR, span(node), message, fix)
        return


_PAIRS = frozenset({"kl_div", "mse_loss", "l1_loss", "smooth_l1_loss"})


def _alike(look: Look, side: Node) -> Fix | None:
    """The side that begins at 1 cut at the end, as the logits of a next token are."""
    cut = {p for p in walk(side) if isinstance(p, Call) and p.name == "index"}
    edits = []
    for node in nodes_of(look.judged.tracer.tree):
        value = look.judged.tracer.values.get(id(node))
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
            continue
        if isinstance(value, Node) and live(value) in cut:
            edits += [Edit(span(p), HEAD) for p in node.slice.elts[1:2] if ast.unparse(p) == TAIL]
    message = Text("Cut both alike", "两侧同样切片")
    return Fix(tuple(edits), "unsafe", message) if edits else None


def _cut(node: Node) -> tuple[object, object] | None:
    """The bounds of the slice of the second dimension of what a side is made of."""
    found = {
        (_value(p.args[0]), _value(p.args[1]))
        for index in walk(node)
        if isinstance(index, Call) and index.name == "index" and len(index.args) > 1
        and isinstance(index.args[1], Call) and index.args[1].name == "key"
        for p in index.args[1].args[1:2]
        if isinstance(p, Call) and p.name == "slice"
    }  # fmt: skip
    return found.pop() if len(found) == 1 else None


def _value(node: Node) -> object:
    return node.value if isinstance(node, Constant) else node


def in_formulas(look: Look) -> Iterator[Finding]:
    """Unless a rule has found it."""
    if not look.is_torch or "POSITIONS-SHIFTED" in look.known:
        return
    for loss in look.judged.losses:
        yield from _cut_otherwise(look, loss)
