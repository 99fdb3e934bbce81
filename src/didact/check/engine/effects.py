"""What a statement does beside assigning: shapes in comments, methods that work in place."""

from __future__ import annotations

import ast

from didact.check.engine.machine import Machine
from didact.check.engine.names import dotted
from didact.check.engine.shape_words import rank_in
from didact.check.engine.spaces import Evidence, Space
from didact.check.engine.values import MAX_ITEMS, UNKNOWN, Record, Value


def with_comment(m: Machine, node: ast.stmt, value: Value) -> Value:
    """A shape in a comment, ``# [B, S, V]``, tells the rank."""
    comment = m.index.comments.get(node.lineno)
    if comment is None or value.rank is not None:
        return value
    rank = rank_in(comment)
    return value.replace(rank=rank, rank_from=Evidence.NAME) if rank else value


def in_place(m: Machine, node: ast.expr, value: Value) -> None:
    """``x.mul_(2)`` as a statement changes ``x``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    name = node.func.attr
    target = dotted(node.func.value)
    if name == "append" and target and node.args:
        _append(m, target, m.latest.get(id(node.args[0]), UNKNOWN))
    elif name == "update" and isinstance(value.payload, Record):
        if target in m.frame.env:
            m.frame.env[target] = value
    elif name.endswith("_") and not name.endswith("__") and isinstance(node.func.value, ast.Name):
        made = Value(space=Space.UNKNOWN) if name in ("zero_", "fill_") else value
        if name == "scatter_":
            made = Value(space=Space.ONE_HOT, origin=node)
        m.frame.env[node.func.value.id] = made


def _append(m: Machine, target: str, added: Value) -> None:
    """``list.append(x)``; what a second round of a loop appends again is there already."""
    old = m.frame.env.get(target, UNKNOWN)
    known = old.items or ()
    items = known if added in known else (*known, added)[:MAX_ITEMS]
    m.frame.env[target] = Value(items=items, terms=added.terms, sources=added.sources)
