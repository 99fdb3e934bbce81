"""Gradients that are clipped while they are still multiplied with the scale of mixed precision."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.mistakes._code import blocks_of, calls_in, scopes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

CLIPPED = "KE202"
CODES = {CLIPPED: ("CLIPPED-WHILE-SCALED",)}
_CLIPS = ("clip_grad_norm_", "clip_grad_value_")


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """``scaler.scale(loss).backward(); clip_grad_norm_(...); scaler.step(optimizer)``."""
    if "unscale_" in text_of(tree) or not calls_in(tree, *_CLIPS):
        return
    for scope in scopes_of(tree):
        for block in blocks_of(scope):
            scaler = ""
            for statement in block:
                scaler = _scaler_of(statement) or scaler
                if not scaler or not isinstance(statement, ast.Expr):
                    continue
                for clip in calls_in(statement, *_CLIPS):
                    yield _found(tree, statement, clip, scaler)


def _scaler_of(statement: ast.stmt) -> str:
    """The scaler of ``scaler.scale(loss).backward()``."""
    for call in calls_in(statement, "backward"):
        inner = call.func.value if isinstance(call.func, ast.Attribute) else None
        scale = inner.func if isinstance(inner, ast.Call) else None
        if isinstance(scale, ast.Attribute) and scale.attr == "scale":
            return ast.unparse(scale.value)
    return ""


def _found(tree: ast.Module, statement: ast.stmt, clip: ast.Call, scaler: str) -> Finding:
    stepped = [
        ast.unparse(c.args[0]) for c in nodes_of(tree)
        if isinstance(c, ast.Call) and c.args and ast.unparse(c.func) == f"{scaler}.step"
    ]  # fmt: skip
    fix = None
    if len(set(stepped)) == 1:
        place = Span(statement.lineno, statement.col_offset, statement.lineno,
                     statement.col_offset)  # fmt: skip
        edit = Edit(place, f"{scaler}.unscale_({stepped[0]})\n{' ' * statement.col_offset}")
        fix = Fix((edit,), "unsafe", Text("Unscale first", "先还原缩放"))
    message = OWN[CLIPPED].format(scaler=scaler, optimizer=stepped[0] if stepped else "optimizer")
    return Finding(CLIPPED, Severity.WARNING, span(clip), message, fix)
