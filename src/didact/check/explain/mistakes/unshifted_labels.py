"""Labels of a causal language model that meet logits of their own position."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Given, Node, walk
from didact.check.explain.mistakes._look import Look, finding, live
from didact.check.explain.mistakes._positions import (
    CAUSAL,
    HEAD,
    NOT_CAUSAL,
    SHIFTED_BEFORE,
    TAIL,
    WHOLE,
    Pair,
    function_around,
    pairs_of,
)
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

CODES = {"KE170": ("NO-SHIFT",), "KE171": ("MASK-UNSHIFTED",), "KE210": ("NO-SHIFT",)}

_SHIFT = Text("Shift both by one position", "两侧错开一个位置")


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where the words or the code say that the next token is predicted."""
    if not look.is_torch or "NO-SHIFT" in look.known:
        return
    for loss in look.judged.losses:
        yield from _of_loss(look, loss)


def _of_loss(look: Look, loss: Loss) -> Iterator[Finding]:
    pairs = [p for p in pairs_of(look.judged, loss.entry.value) if p.cut() is not None]
    shown = any(p.cut() == (HEAD, TAIL) for p in pairs)
    heads = [p for p in pairs if p.cut() == (HEAD, HEAD)]
    if heads and "MASK-UNSHIFTED" not in look.known:
        yield from _wrong_end(look, heads)
    yield from _ahead(look, [p for p in pairs if p.cut() == (TAIL, TAIL) and not p.masks])
    told = bool(CAUSAL.search(look.words)) and not NOT_CAUSAL.search(look.words)
    if not (shown or told) or SHIFTED_BEFORE.search(look.words):
        return
    whole = [p for p in pairs if p.cut() == (WHOLE, WHOLE)
             and not any("shift" in g.text.lower() for g in p.labels)]  # fmt: skip
    hard = [p for p in whole if not p.masks]
    for found in (hard[:1], [p for p in whole if p.masks][:1]):
        if not found or (found[0].masks and hard):
            continue
        pair = found[0]
        node = look.places.get(pair.part) or loss.entry.node
        if pair.masks and isinstance(node, ast.BinOp):
            node = _compared(look, pair) or node
        label = next(iter(pair.labels))
        raw = shown or _is_of_batch(look, label)
        code = "KE171" if pair.masks else "KE170"
        severity = _SEVERITIES[pair.masks, raw]
        fix = _fix(look, loss, whole, some_are_cut=shown)
        fix = None if severity is Severity.INFO else fix
        yield finding(code, severity, node, fix, labels=_name(look, label))


_SEVERITIES = {
    (False, True): Severity.ERROR,
    (False, False): Severity.WARNING,
    (True, True): Severity.WARNING,
    (True, False): Severity.INFO,
}
"""By whether the labels only make a mask, and whether they are as the batch holds them."""


def _is_of_batch(look: Look, labels: Given) -> bool:
    """Whether the labels are taken from a batch, or a model gets them to shift them itself."""
    models = (g for loss in look.judged.losses for g in walk(loss.entry.value)
              if isinstance(g, Given) and g.model)  # fmt: skip
    taken = re.search(r"\[['\"]\w*labels\w*['\"]\]|pop\(|\.get\(|batch\.", labels.text)
    return taken is not None or any(labels in g.inputs for g in models)


def _name(look: Look, given: Given) -> str:
    return look.judged.tracer.labels.get(given, given.text)


def _compared(look: Look, pair: Pair) -> ast.AST | None:
    """The comparison of the labels that makes the mask."""
    for node in nodes_of(look.judged.tracer.tree):
        if isinstance(node, ast.Compare) and any(_value(look, node.left) is g for g in pair.labels):
            return node
    return None


def _value(look: Look, node: ast.AST) -> Node | None:
    value = look.judged.tracer.values.get(id(node))
    return live(value) if isinstance(value, Node) else None


def _wrong_end(look: Look, pairs: list[Pair]) -> Iterator[Finding]:
    """Labels without their last position beside logits without theirs."""
    masked = all(p.masks for p in pairs)
    for node, key in _cuts_of(look, {g for p in pairs for g in p.labels}, HEAD):
        what = Text("Shift the mask", "掩码也移位") if masked else _SHIFT
        fix = Fix((Edit(span(key), TAIL),), "unsafe", what)
        code = "KE130" if masked else "KE210"
        yield finding(code, Severity.ERROR, node, fix, mask=ast.unparse(node))


def _ahead(look: Look, pairs: list[Pair]) -> Iterator[Finding]:
    """Logits without their first position beside labels without theirs."""
    places = list(_cuts_of(look, {g for p in pairs for g in p.logits}, TAIL))
    labels = list(_cuts_of(look, {g for p in pairs for g in p.labels}, TAIL))
    if places and labels:
        fix = Fix(tuple(Edit(span(key), HEAD) for _, key in places), "unsafe", _SHIFT)
        name = ast.unparse(labels[0][0])
        yield finding("KE210", Severity.ERROR, places[0][0], fix, mask=name)


def _cuts_of(look: Look, names: set[Given], cut: str) -> Iterator[tuple[ast.AST, ast.expr]]:
    """The subscripts that cut one of the names so, and their keys of the positions."""
    for node in nodes_of(look.judged.tracer.tree):
        if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
            continue
        key = node.slice.elts[1] if len(node.slice.elts) > 1 else None
        if key is not None and ast.unparse(key) == cut and _value(look, node.value) in names:
            yield node, key


def _fix(look: Look, loss: Loss, pairs: list[Pair], *, some_are_cut: bool) -> Fix | None:
    """Cut the logits and the labels where the function begins, or where they are used."""
    cut = {g: HEAD for p in pairs for g in p.logits} | {g: TAIL for p in pairs for g in p.labels}
    scope = function_around(look.judged.tracer.tree, loss.entry.node)
    parameters = _parameters(scope)
    names = [g.text for g in cut]
    edits: list[Edit] = []
    if not some_are_cut and set(names) <= parameters and not _is_passed_on(look, scope, set(cut)):
        first = _first_statement(scope)
        if first is None:
            return None
        pad = "\n" + " " * first.col_offset
        lines = [f"{g.text} = {g.text}[:, {key}].contiguous()" for g, key in cut.items()]
        edits = [Edit(_before(first), pad.join(lines) + pad)]
    else:
        for given, key in cut.items():
            edits += _occurrences(look, scope, given, key)
    return Fix(tuple(edits), "unsafe", _SHIFT) if edits else None


def _before(node: ast.stmt) -> Span:
    where = span(node)
    return Span(where.line, where.column, where.line, where.column)


def _parameters(scope: ast.AST) -> set[str]:
    arguments = getattr(scope, "args", None)
    if not isinstance(arguments, ast.arguments):
        return set()
    return {a.arg for a in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}


def _first_statement(scope: ast.AST) -> ast.stmt | None:
    body: list[ast.stmt] = list(getattr(scope, "body", []))
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return body[0] if body else None


def _is_passed_on(look: Look, scope: ast.AST, cut: set[Given]) -> bool:
    """Whether a model or an unknown function is given one of them whole."""
    for node in nodes_of(scope):
        value = look.judged.tracer.values.get(id(node)) if isinstance(node, ast.Call) else None
        if isinstance(value, Given) and cut & set(value.inputs):
            return True
    return False


def _occurrences(look: Look, scope: ast.AST, given: Given, key: str) -> list[Edit]:
    """The places where a value is used whole, each cut."""
    parents = {id(c): n for n in nodes_of(scope) for c in ast.iter_child_nodes(n)}
    named = any(
        isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
        and _value(look, n.value) is given for n in nodes_of(scope)
    )  # fmt: skip
    edits = []
    for node in nodes_of(scope):
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            continue
        if _value(look, node) is not given or not isinstance(node.ctx, ast.Load):
            continue
        if named and not isinstance(node, ast.Name):
            continue
        around = parents.get(id(node))
        if isinstance(around, ast.Subscript) and around.value is node and _is_cut(around):
            continue
        if isinstance(around, ast.keyword) or _is_sized(around) or _is_given(look, around):
            continue
        text = f"{ast.unparse(node)}[:, {key}]"
        if isinstance(around, ast.Attribute) and around.attr == "view":
            edits.append(Edit(span(around), f"{text}.reshape"))
        else:
            edits.append(Edit(span(node), text))
    return edits


def _is_cut(node: ast.Subscript) -> bool:
    return any(ast.unparse(p) in {HEAD, TAIL} for p in nodes_of(node.slice))


def _is_sized(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"size", "shape", "dim", "device"}


def _is_given(look: Look, node: ast.AST | None) -> bool:
    """Whether a model is given it."""
    value = look.judged.tracer.values.get(id(node)) if isinstance(node, ast.Call) else None
    return isinstance(value, Given) and value.model
