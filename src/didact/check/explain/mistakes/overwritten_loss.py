"""A loss that each round of a loop sets anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TypeGuard

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_loss
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import target_of
from didact.check.explain.mistakes._losses import LOSSES
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

OVERWRITTEN = "KE122"
CODES = {OVERWRITTEN: ("LOSS-OVERWRITTEN",)}

_BATCHES = ("loader", "dataset", "epoch", "batch", "iter", "tqdm", "steps", "range")
_SEVERAL = re.compile(
    r"teach|expert|model|feat|layer|stage|level|head|block|branch|hidden|logits|outs?\b|\bts\b|_ts\b"
)
"""What a loop runs over whose rounds are the parts of one loss."""
_STEPPING = frozenset({"backward", "step", "zero_grad"})


def _overwritten(loop: ast.For, tree: ast.Module) -> Iterator[Finding]:
    """A loss that each round sets anew, does not use, and that is trained on behind the loop."""
    over = ast.unparse(loop.iter)
    called = {last_name(n.func) for n in nodes_of(loop) if isinstance(n, ast.Call)}
    if any(word in over.lower() for word in _BATCHES) or called & _STEPPING:
        return
    if any(isinstance(n, ast.Break | ast.Return | ast.Yield) for n in nodes_of(loop)):
        return
    for statement in loop.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        if not _is_of_losses(statement.value, loop) or not _is_set_alone(loop, name):
            continue
        before = _before(loop, name, tree)
        if not _is_trained_on(loop, name, tree) or not (before or _SEVERAL.search(over.lower())):
            continue
        lost = before is not None and not _is_zero(before.value)
        code = "KE122-STARTED" if lost else OVERWRITTEN
        message = OWN[code].format(
            name=name, over=over, line=before.lineno if before is not None else 0
        )
        yield Finding(
            OVERWRITTEN, Severity.ERROR, span(statement), message,
            _added_up(loop, statement, name, before, tree),
        )  # fmt: skip


def _is_of_losses(value: ast.expr, loop: ast.For) -> bool:
    """Whether a value is a loss, or is made of one that the loop has given a name."""
    if _calls_loss(value):
        return True
    read = {n.id for n in nodes_of(value) if isinstance(n, ast.Name)}
    return isinstance(value, ast.BinOp) and any(
        target_of(s) in read and _calls_loss(s.value)  # type: ignore[attr-defined]
        for s in loop.body if target_of(s)
    )  # fmt: skip


def _calls_loss(value: ast.expr) -> bool:
    called = {last_name(n.func) for n in nodes_of(value) if isinstance(n, ast.Call)}
    return bool(called & LOSSES) or any(map(is_loss, called))


def _is_set_alone(loop: ast.For, name: str) -> bool:
    """Whether a loop gives a name one value and never reads it."""
    places = [n for s in loop.body for n in nodes_of(s) if _is_named(n, name)]
    return len(places) == 1 and isinstance(places[0].ctx, ast.Store)


def _before(loop: ast.For, name: str, tree: ast.Module) -> ast.Assign | None:
    """The last statement before a loop, in the list that holds it, that sets a name."""
    block = _block_of(loop, tree)
    for statement in reversed(block[: block.index(loop)]):
        if isinstance(statement, ast.Assign) and any(_is_named(t, name) for t in statement.targets):
            return statement
        if any(_is_named(n, name) for n in nodes_of(statement)):
            return None
    return None


def _is_trained_on(loop: ast.For, name: str, tree: ast.Module) -> bool:
    """Whether what stands behind a loop returns a name, goes back from it or computes with it."""
    block = _block_of(loop, tree)
    for statement in block[block.index(loop) + 1 :]:
        for node in nodes_of(statement):
            counted = isinstance(node, ast.Return | ast.BinOp | ast.AugAssign) or (
                isinstance(node, ast.Attribute) and node.attr == "backward"
            )
            if counted and any(_is_named(n, name) for n in nodes_of(node)):
                return True
        if any(_is_named(n, name) and isinstance(n.ctx, ast.Store) for n in nodes_of(statement)):
            return False
    return False


def _block_of(loop: ast.For, tree: ast.Module) -> list[ast.stmt]:
    """The list of statements that a loop stands in."""
    for node in nodes_of(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and any(s is loop for s in block):
                return block
    return [loop]


def _added_up(
    loop: ast.For, statement: ast.Assign, name: str, before: ast.Assign | None, tree: ast.Module
) -> Fix:
    """``+=`` in the loop, and a zero before it where nothing starts the sum."""
    edits = [Edit(span(statement), f"{name} += {ast.unparse(statement.value)}")]
    starts = any(_is_named(n, name) and isinstance(n.ctx, ast.Store) and n.lineno < loop.lineno
                 for n in nodes_of(tree))  # fmt: skip
    if before is None and not starts:
        place = Span(loop.lineno, loop.col_offset, loop.lineno, loop.col_offset)
        edits.append(Edit(place, f"{name} = 0\n{' ' * loop.col_offset}"))
    return Fix(tuple(edits), "unsafe", Text("Add up the rounds", "把各轮加起来"))


def _is_named(node: ast.AST, name: str) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id == name


def _is_zero(value: ast.expr) -> bool:
    """Whether a sum starts so: ``loss = 0``, ``torch.zeros(())``, ``torch.tensor(0.)``."""
    if isinstance(value, ast.Call):
        name = last_name(value.func)
        if name in {"to", "cuda"} and isinstance(value.func, ast.Attribute):
            return _is_zero(value.func.value)
        return name in {"zeros", "new_zeros"} or (
            name in {"tensor", "as_tensor"} and bool(value.args) and _is_zero(value.args[0])
        )
    return isinstance(value, ast.Constant) and value.value == 0


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Loop by loop."""
    for node in nodes_of(tree):
        if isinstance(node, ast.For):
            yield from _overwritten(node, tree)
