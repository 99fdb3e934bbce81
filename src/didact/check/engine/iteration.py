"""What a loop gives its variable: rows of a distribution, pairs of ``enumerate`` and ``zip``."""

from __future__ import annotations

import ast

from didact.check.engine.assign import element_of
from didact.check.engine.machine import Machine
from didact.check.engine.spaces import NORMALISED, Space
from didact.check.engine.values import UNKNOWN, Value

_THROUGH = ("tqdm", "list", "tuple", "reversed", "iter", "trange")


def element(m: Machine, node: ast.expr, value: Value) -> Value:
    """One element of what is iterated: of the expression, of which the value is known."""
    function = node.func if isinstance(node, ast.Call) else None
    name = function.id if isinstance(function, ast.Name) else ""
    if isinstance(node, ast.Call) and node.args:
        given = [(part, m.latest.get(id(part), UNKNOWN)) for part in node.args]
        if name == "enumerate":
            return Value(items=(Value(space=Space.SCALAR), element(m, *given[0])))
        if name == "zip" and not any(isinstance(part, ast.Starred) for part, _ in given):
            return Value(items=tuple(element(m, *pair) for pair in given))
        if name in _THROUGH:
            return element(m, *given[0])
    return _row(value) if value.space in NORMALISED and not value.items else element_of(value)


def _row(value: Value) -> Value:
    """One sample of a batch: still a distribution."""
    rank = value.rank - 1 if value.rank and value.rank > 1 else None
    return value.replace(rank=rank, axis=-1, payload=None)
