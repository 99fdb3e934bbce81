"""A normalised value that nobody reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.trace import Tracer
from didact.check.explain.formula.tree import Call, Choice
from didact.check.explain.mistakes._look import Look, finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE109": ("DEAD-NORM",)}


_NORMALISERS = ("normalize", "softmax", "log_softmax")


def _unused_norms(tracer: Tracer, known: frozenset[str]) -> Iterator[Finding]:
    """A normalised value that is thrown away, or kept under a name that nobody reads."""
    if "DEAD-NORM" in known:
        return
    tree = tracer.tree
    reads: dict[str, list[ast.Name]] = {}
    for node in nodes_of(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            reads.setdefault(node.id, []).append(node)
    in_norms = _names_in_norms(tree)
    compared: dict[str, list[ast.Name]] | None = None
    plain = {name: [n for n in found if id(n) not in in_norms] for name, found in reads.items()}
    for node in nodes_of(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if name in _NORMALISERS and call.args and isinstance(call.args[0], ast.Name):
                text = f"{call.args[0].id} = {ast.unparse(call)}"
                fix = Fix((Edit(span(call), text),), "unsafe", Text("Keep it", "保留结果"))
                yield finding("KE109", Severity.ERROR, node, fix, name=call.args[0].id)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            target = node.targets[0].id
            original = normalised_name(node.value) or _softened_name(tracer, node.value)
            if original is None or target in reads or target == original:
                continue
            places = plain
            if _softened_name(tracer, node.value):
                compared = _directly(tracer, plain) if compared is None else compared
                places = compared
            edits = tuple(
                Edit(span(n), target) for n in places.get(original, ()) if n.lineno > node.lineno
            )
            if edits and ("norm" in target.lower() or _softened_name(tracer, node.value)):
                fix = Fix(edits, "unsafe", Text("Use the normalised", "使用归一化后的值"))
                yield finding("KE109", Severity.ERROR, node, fix, name=target)


def _directly(tracer: Tracer, names: dict[str, list[ast.Name]]) -> dict[str, list[ast.Name]]:
    """Of the places of each name those where a loss compares it as it is."""
    compared = _compared_directly(tracer)
    return {name: [n for n in found if id(n) in compared] for name, found in names.items()}


def _names_in_norms(tree: ast.Module) -> set[int]:
    """The nodes in what is assigned to names of norms."""
    return {
        id(inner) for n in nodes_of(tree)
        if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
        and "norm" in n.targets[0].id.lower()
        for inner in nodes_of(n.value)
    }  # fmt: skip


def _compared_directly(tracer: Tracer) -> set[int]:
    """The names that a call of a loss is given as they are."""
    found: set[int] = set()
    for node in nodes_of(tracer.tree):
        if isinstance(node, ast.Call) and not _is_normaliser(node):
            value = tracer.values.get(id(node))
            made = isinstance(value, Call | Choice)
            found |= {id(a) for a in node.args[:2] if isinstance(a, ast.Name) and made}
    return found


def _is_normaliser(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return any(word in name.lower() for word in ("softmax", "norm", "sigmoid"))


def _softened_name(tracer: Tracer, value: ast.expr) -> str | None:
    """``x`` where a layer that normalises is applied to the name alone."""
    made = tracer.values.get(id(value))
    named = isinstance(value, ast.Call) and value.args and isinstance(value.args[0], ast.Name)
    if not named or not isinstance(made, Call) or made.name not in _NORMALISERS:
        return None
    return value.args[0].id  # type: ignore[attr-defined, no-any-return]


def normalised_name(value: ast.expr) -> str | None:
    """``x`` of ``x / x.mean()``, ``F.normalize(x)``."""
    quotient = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div)
    if isinstance(value, ast.BinOp) and quotient and isinstance(value.left, ast.Name):
        inside = {n.id for n in nodes_of(value.right) if isinstance(n, ast.Name)}
        return value.left.id if value.left.id in inside else None
    if isinstance(value, ast.Call) and value.args and isinstance(value.args[0], ast.Name):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else ""
        return value.args[0].id if name in _NORMALISERS else None
    return None


def in_formulas(look: Look) -> Iterator[Finding]:
    """In all values."""
    yield from _unused_norms(look.judged.tracer, look.known)
