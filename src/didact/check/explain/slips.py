"""Slips around a loss that its own lines show: slices, signs, and sums that outlive a step."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import leaves, side
from didact.check.explain.formula.tree import Call, Constant, Node, walk
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

_OLD = re.compile(r"old|known|prev|base|seen", re.IGNORECASE)


def slips(tree: ast.Module) -> Iterator[Finding]:
    """What the statements alone show."""
    yield from _outliving_sums(tree)
    for node in nodes_of(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            yield from _last_classes(node)


def slips_in_formulas(
    judged: Judged, known: frozenset[str], places: Mapping[Node, ast.AST]
) -> Iterator[Finding]:
    """What the formulas show."""
    for loss in judged.losses:
        yield from _signed_differences(judged, loss, places)
        if "POSITIONS-SHIFTED" not in known:
            yield from _cut_otherwise(loss, places)
    if not {"PAD-UNMASKED", "MASKED-MEAN"} & known:
        yield from _unmasked_padding(judged)


def _outliving_sums(tree: ast.Module) -> Iterator[Finding]:
    """``total += loss`` and ``total.backward()`` in a loop that does not start it anew."""
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For | ast.While):
            continue
        inner = [n for n in ast.walk(loop) if isinstance(n, ast.For | ast.While) and n is not loop]
        begun = {ast.unparse(t) for s in ast.walk(loop) if isinstance(s, ast.Assign)
                 for t in s.targets}  # fmt: skip
        back = {
            ast.unparse(c.func.value) for c in ast.walk(loop)
            if isinstance(c, ast.Call) and isinstance(c.func, ast.Attribute)
            and c.func.attr == "backward"
        }  # fmt: skip
        for node in loop.body:
            name = ast.unparse(node.target) if isinstance(node, ast.AugAssign) else ""
            if not name or name in begun or name not in back or inner:
                continue
            assert isinstance(node, ast.AugAssign)
            if not isinstance(node.op, ast.Add):
                continue
            edit = Edit(span(node), f"{name} = {ast.unparse(node.value)}")
            fix = Fix((edit,), "unsafe", Text("Start anew each step", "每一步重新开始"))
            yield Finding("KE142", Severity.ERROR, span(node), OWN["KE142"].format(name=name), fix)


def _last_classes(node: ast.Subscript) -> Iterator[Finding]:
    """``out[:, -n_old:]``: the last classes are the new ones."""
    assert isinstance(node.slice, ast.Tuple)
    for part in node.slice.elts[1:]:
        if not isinstance(part, ast.Slice) or part.upper is not None or part.step is not None:
            continue
        lower = part.lower
        if not isinstance(lower, ast.UnaryOp) or not isinstance(lower.op, ast.USub):
            continue
        name = ast.unparse(lower.operand)
        if isinstance(lower.operand, ast.Name | ast.Attribute) and _OLD.search(name):
            fix = Fix((Edit(span(part), f":{name}"),), "unsafe", Text("The first", "取前面的"))
            message = OWN["KE143"].format(code=f"`{ast.unparse(node)}`", name=name)
            yield Finding("KE143", Severity.ERROR, span(node), message, fix)


def _signed_differences(
    judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]
) -> Iterator[Finding]:
    """The mean of ``student − teacher``: positive and negative differences cancel."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name not in {"mean", "sum"} or not part.args:
            continue
        inner = part.args[0]
        if not isinstance(inner, Call) or inner.name != "sub" or len(part.children) > 1:
            continue
        sides = {side(a, judged.roles) for a in inner.args}
        logs = any(isinstance(p, Call) and p.name in {"log_softmax", "log"} for p in walk(inner))
        if sides != {"student", "teacher"} or logs:
            continue
        node = places.get(part) or loss.entry.node
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        fix = None
        if method and not node.args:  # type: ignore[attr-defined]
            owner = node.func.value  # type: ignore[attr-defined]
            text = ast.unparse(owner)
            text = f"({text})" if isinstance(owner, ast.BinOp) else text
            edit = Edit(span(node), f"{text}.pow(2).{node.func.attr}()")  # type: ignore[attr-defined]
            fix = Fix((edit,), "unsafe", Text("Square them", "取平方"))
        yield Finding("KE144", Severity.ERROR, span(node), OWN["KE144"], fix)
        return


def _cut_otherwise(loss: Loss, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """A divergence whose two sides are cut to other positions."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name not in _PAIRS or len(part.args) < 2:
            continue
        cuts = [_cut(a) for a in part.args[:2]]
        if None in cuts or cuts[0] == cuts[1] or not set(cuts) <= {(None, -1), (1, None)}:
            continue
        node = places.get(part) or loss.entry.node
        shown = [":-1" if c == (None, -1) else "1:" for c in cuts]
        message = OWN["KE145"].format(one=f"`[:, {shown[0]}]`", other=f"`[:, {shown[1]}]`")
        yield Finding("KE145", Severity.ERROR, span(node), message)
        return


_PAIRS = frozenset({"kl_div", "mse_loss", "l1_loss", "smooth_l1_loss"})


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


def _unmasked_padding(judged: Judged) -> Iterator[Finding]:
    """A mean over all positions where the models are given an attention mask."""
    text = ast.unparse(judged.tracer.tree)
    if "attention_mask=attention_mask" not in text or judged.ranks.order[0] != 3:
        return
    for loss in judged.losses:
        for term in loss.terms:
            soft = term.definition is not None and term.definition.key in {"kd", "soft_ce"}
            if not soft or term.rank != 3 or term.status != "equal":
                continue
            masked = any("mask" in g.text and not g.inputs for g in leaves(term.body))
            chosen = any(isinstance(p, Call) and p.name in {"masked_select", "ne", "where"}
                         for p in walk(term.body))  # fmt: skip
            if not masked and not chosen:
                yield Finding("KE146", Severity.WARNING, span(loss.entry.node), OWN["KE146"])
                return


def raw_targets(loss: Loss, judged: Judged, places: Mapping[Node, ast.AST]) -> Iterator[Finding]:
    """In other frameworks: a cross-entropy whose soft labels are the teacher's logits."""
    for part in walk(loss.entry.value):
        if not isinstance(part, Call) or part.name != "mul" or len(part.args) != 2:
            continue
        target, logs = part.args
        if not isinstance(logs, Call) or logs.name != "log_softmax":
            continue
        while isinstance(target, Call) and target.name in {"div", "detach", "identity"}:
            target = target.args[0]
        named = " ".join(g.text for g in leaves(target))
        if isinstance(target, Call) or side(target, judged.roles) != "teacher":
            continue
        if "logit" not in named.lower():
            continue
        yield Finding("KE147", Severity.ERROR, span(_call_of(judged, loss, places)), OWN["KE147"])
        return


def _call_of(judged: Judged, loss: Loss, places: Mapping[Node, ast.AST]) -> ast.AST:
    del places
    for node in nodes_of(judged.tracer.tree):
        if isinstance(node, ast.Call) and last_name(node.func) in {
            "softmax_cross_entropy_with_logits", "CategoricalCrossentropy", "softmax_cross_entropy",
        }:  # fmt: skip
            return node
    return loss.entry.node
