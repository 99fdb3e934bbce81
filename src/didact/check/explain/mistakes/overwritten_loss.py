"""A loss that each round of a loop sets anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_loss
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._losses import LOSSES
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

OVERWRITTEN = "KE122"
CODES = {OVERWRITTEN: ("LOSS-OVERWRITTEN",)}

OVERWRITTEN = "KE122"
_BATCHES = ("loader", "dataset", "epoch", "batch", "iter", "tqdm", "steps", "range")


def _overwritten(loop: ast.For, tree: ast.Module) -> Iterator[Finding]:
    """A loss that each round sets anew, does not use, and that is read behind the loop."""
    if any(word in ast.unparse(loop.iter).lower() for word in _BATCHES):
        return
    for statement in loop.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        called = {last_name(n.func) for n in ast.walk(statement.value) if isinstance(n, ast.Call)}
        if not is_loss(name) or not (called & LOSSES or any(map(is_loss, called))):
            continue
        places = [n for s in loop.body for n in ast.walk(s) if _is_named(n, name)]
        inside = [n for n in places if isinstance(n.ctx, ast.Load)]
        stores = [n for n in places if isinstance(n.ctx, ast.Store)]
        last = loop.end_lineno or loop.lineno
        behind = any(
            _is_named(n, name) and isinstance(n.ctx, ast.Load) and n.lineno > last
            for n in nodes_of(tree)
        )
        started = any(_is_zero(n, name) and n.lineno < loop.lineno for n in nodes_of(tree))
        if not inside and len(stores) == 1 and behind and started:
            edit = Edit(span(statement), f"{name} += {ast.unparse(statement.value)}")
            fix = Fix((edit,), "unsafe", Text("Add up the rounds", "把各轮加起来"))
            message = OWN[OVERWRITTEN].format(name=name, over=ast.unparse(loop.iter))
            yield Finding(OVERWRITTEN, Severity.ERROR, span(statement), message, fix)


def _is_named(node: ast.AST, name: str) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id == name


def _is_zero(node: ast.AST, name: str) -> TypeGuard[ast.Assign]:
    """Whether a statement starts a sum: ``loss = 0``."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return False
    return node.value.value == 0 and any(_is_named(t, name) for t in node.targets)


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Loop by loop."""
    for node in nodes_of(tree):
        if isinstance(node, ast.For):
            yield from _overwritten(node, tree)
