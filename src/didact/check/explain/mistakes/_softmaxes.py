"""Softmaxes as they are written, and their logarithms."""

from __future__ import annotations

import ast
from functools import lru_cache

from didact.check.explain.call_words import last_name
from didact.check.explain.formula.judge import Judged
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.mistakes._look import Look, live


def made_by(tree: ast.Module, node: ast.AST) -> ast.Call | None:
    """The call that a value is made by, in place or where its name is set, once."""
    if isinstance(node, ast.Name):
        found = [
            n.value for n in nodes_of(tree)
            if isinstance(n, ast.Assign) and text_of(n.targets[0]) == node.id
        ]  # fmt: skip
        return found[0] if len(found) == 1 and isinstance(found[0], ast.Call) else None
    return node if isinstance(node, ast.Call) else None


def log_text(tree: ast.Module, node: ast.AST) -> str | None:
    """A softmax as ``log_softmax``, as text."""
    return _renamed(tree, node, "softmax", "log_softmax")


def softmax_text(tree: ast.Module, node: ast.AST) -> str | None:
    """A ``log_softmax`` as softmax, as text."""
    return _renamed(tree, node, "log_softmax", "softmax")


def _renamed(tree: ast.Module, node: ast.AST, old: str, new: str) -> str | None:
    call = made_by(tree, node)
    if call is None or last_name(call.func) != old:
        return None
    function = ast.unparse(call.func)
    return function.removesuffix(old) + new + ast.unparse(call)[len(function) :]


def scores_text(tree: ast.Module, node: ast.AST) -> str | None:
    """What a softmax is taken of, as text."""
    call = made_by(tree, node)
    if call is None or last_name(call.func) not in {"softmax", "log_softmax"}:
        return None
    method = isinstance(call.func, ast.Attribute) and not (
        isinstance(call.func.value, ast.Name | ast.Attribute)
        and last_name(call.func.value) in _LIBRARIES
    )
    if method and isinstance(call.func, ast.Attribute):
        return ast.unparse(call.func.value)
    return ast.unparse(call.args[0]) if call.args else None


_LIBRARIES = frozenset({"F", "torch", "functional", "nn", "tf", "jax", "ops", "K", "backend"})


def call_around(look: Look, part: Node) -> ast.Call | None:
    """The call that makes a part, also where a function of a library makes it inside."""
    node = look.places.get(part)
    if isinstance(node, ast.Call):
        return node
    found = _makers(look.judged).get(part, ())
    return min(found, key=lambda n: len(text_of(n)), default=None)


@lru_cache(maxsize=8)
def _makers(judged: Judged) -> dict[Node, list[ast.Call]]:
    """The calls that each part of a formula is in the value of."""
    found: dict[Node, list[ast.Call]] = {}
    for node in nodes_of(judged.tracer.tree):
        value = judged.tracer.values.get(id(node)) if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and isinstance(value, Call):
            for part in walk(value):
                found.setdefault(part, []).append(node)
    return found


def argument_of(look: Look, part: Call) -> ast.expr | None:
    """What is written where a softmax is taken of something."""
    call = call_around(look, part)
    if call is None:
        return None
    owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
    for argument in [*call.args, *(k.value for k in call.keywords), *owner]:
        value = look.judged.tracer.values.get(id(argument))
        if isinstance(value, Node) and live(value) is live(part.args[0]):
            return argument
    return None
