"""A cosine embedding loss whose target pushes both sides apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.roles import side
from didact.check.explain.formula.tree import Call, Constant, Given, Node, walk
from didact.check.explain.formula.verdict import addends
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE181": ("COSINE-APART",)}


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where student and teacher, or new and old features, are compared."""
    if not look.is_torch:
        return
    for loss in look.judged.losses:
        yield from _added(look, loss)
        for part in walk(loss.entry.value):
            if not isinstance(part, Call) or part.name != "cosine_embedding_loss":
                continue
            if len(part.args) > 2 and _is_minus_one(part.args[2]):
                node = look.places.get(part) or loss.entry.node
                yield finding("KE181", Severity.ERROR, node, _fix(look, part.args[2]))


def _added(look: Look, loss: Loss) -> Iterator[Finding]:
    """``loss + cosine_similarity(a, b).mean()``: what is minimised is the similarity."""
    for part in addends(loss.entry.value):
        while isinstance(part, Call) and part.name == "mul":
            factors = [a for a in part.args if any(_is_cosine(p) for p in walk(a))]
            if len(factors) != 1:
                break
            part = factors[0]
        inner = part.args[0] if isinstance(part, Call) and part.name == "mean" else None
        if inner is None or not _is_cosine(inner) or len(part.children) != 1:
            continue
        sides = {side(a, look.judged.roles) for a in inner.children[:2]}
        node = look.places.get(inner)
        if sides == {"student", "teacher"} and isinstance(node, ast.Call):
            edit = Edit(span(node), f"(1 - {ast.unparse(node)})")
            fix = Fix((edit,), "unsafe", Text("Make them alike", "改为拉近"))
            message = OWN["KE181-PLUS"]
            yield Finding("KE181", Severity.ERROR, span(node), message, fix)


def _is_cosine(node: Node) -> bool:
    return isinstance(node, Call) and node.name == "cosine_similarity"


def _is_minus_one(node: Node) -> bool:
    """``-torch.ones(n)``, ``torch.ones(n) * -1``, ``torch.full((n,), -1.0)``."""
    if isinstance(node, Given):
        text = node.text.replace("torch.", "", 1)
        number = node.inputs[-1] if len(node.inputs) > 1 else None
        return text.startswith(("full(", "full_like(")) and _is(number, -1)
    if not isinstance(node, Call) or not node.args:
        return False
    if node.name in {"full", "full_like"}:
        return any(_is(a, -1) for a in node.children)
    if node.name == "neg":
        return isinstance(node.args[0], Call) and node.args[0].name in {"ones", "ones_like"}
    ones = any(isinstance(a, Call) and a.name in {"ones", "ones_like"} for a in node.args)
    return node.name == "mul" and ones and any(_is(a, -1) for a in node.args)


def _is(node: Node | None, number: int) -> bool:
    return isinstance(node, Constant) and node.value == number


def _fix(look: Look, target: Node) -> Fix | None:
    """The same without the minus."""
    for node in nodes_of(look.judged.tracer.tree):
        minus = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        if not minus or look.judged.tracer.values.get(id(node)) is None:
            continue
        value = look.judged.tracer.values[id(node)]
        if isinstance(value, Node) and value is target and isinstance(node, ast.UnaryOp):
            edit = Edit(span(node), ast.unparse(node.operand))
            return Fix((edit,), "unsafe", Text("Make them alike", "改为拉近"))
    for node in nodes_of(look.judged.tracer.tree):
        if look.judged.tracer.values.get(id(node)) is target and isinstance(node, ast.Call):
            for inner in nodes_of(node):
                if isinstance(inner, ast.UnaryOp) and ast.unparse(inner) in {"-1", "-1.0"}:
                    edit = Edit(span(inner), ast.unparse(inner.operand))
                    return Fix((edit,), "unsafe", Text("Make them alike", "改为拉近"))
    return None
