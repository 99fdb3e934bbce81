"""Running statements: branches are joined, loops are run twice."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from didact.check.engine import arithmetic
from didact.check.engine.assign import bind
from didact.check.engine.effects import in_place, with_comment
from didact.check.engine.inline import dotted_call
from didact.check.engine.iteration import element
from didact.check.engine.machine import Machine
from didact.check.engine.tables import constant_key
from didact.check.engine.values import UNKNOWN, Value, join

_NO_GRAD = ("no_grad", "inference_mode")
_IGNORED = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Global,
    ast.Nonlocal,
    ast.Pass,
)


def _assign(m: Machine, node: ast.Assign) -> None:
    value = m.evaluate(node.value)
    for target in node.targets:
        m.record("assign", node, base=value, name=getattr(target, "id", ""))
        bind(m, target, with_comment(m, node, value))
    m.total(node, value, "assign")


def _annotated(m: Machine, node: ast.AnnAssign) -> None:
    if node.value is not None:
        value = m.evaluate(node.value)
        bind(m, node.target, value)
        m.total(node, value, "assign")


def _augmented(m: Machine, node: ast.AugAssign) -> None:
    right = m.evaluate(node.value)
    left = m.evaluate(node.target)
    result = arithmetic.binary(m, node, left, right)
    if isinstance(node.target, ast.Name | ast.Attribute) or constant_key(node.target) is not None:
        bind(m, node.target, result)
    m.total(node, result, "assign")


def _return(m: Machine, node: ast.Return) -> None:
    if node.value is not None:
        value = m.evaluate(node.value)
        m.frame.returns.append(value)
        m.total(node, value, "return")
    m.frame.alive = False


def _stop(m: Machine, node: ast.stmt) -> None:
    m.evaluate_children(node)
    m.frame.alive = False


def _if(m: Machine, node: ast.If) -> None:
    m.evaluate(node.test)
    if _is_main(node.test):
        m.run(node.body)
        return
    before = dict(m.frame.env)
    m.run(node.body)
    after, alive = m.frame.env, m.frame.alive
    m.frame.env, m.frame.alive = before, True
    m.run(node.orelse)
    if not m.frame.alive:
        m.frame.env, m.frame.alive = after, alive
    elif alive:
        m.frame.env = merge(after, m.frame.env)


def _is_main(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
    )


def merge(left: dict[str, Value], right: dict[str, Value]) -> dict[str, Value]:
    """The environment after two paths meet; a name set on one path alone keeps its value."""
    merged = dict(right)
    for name, value in left.items():
        merged[name] = join(value, right[name]) if name in right else value
    return merged


def _loop(m: Machine, node: ast.For | ast.AsyncFor | ast.While) -> None:
    if isinstance(node, ast.While):
        m.evaluate(node.test)
    else:
        bind(m, node.target, element(m, node.iter, m.evaluate(node.iter)))
    before = dict(m.frame.env)
    for _ in range(2 if m.scope.depth == 0 else 1):
        m.run(node.body)
        m.frame.alive = True
        m.frame.env = merge(m.frame.env, before)
        if not isinstance(node, ast.While):
            bind(m, node.target, element(m, node.iter, m.latest.get(id(node.iter), UNKNOWN)))
        if all(before.get(name) == value for name, value in m.frame.env.items()):
            break
        before = dict(m.frame.env)
    m.run(node.orelse)


def _with(m: Machine, node: ast.With | ast.AsyncWith) -> None:
    saved = m.frame.no_grad
    for item in node.items:
        value = m.evaluate(item.context_expr)
        name = dotted_call(item.context_expr)
        if name.endswith(_NO_GRAD) or _is_disabled(item.context_expr, name):
            m.frame.no_grad = True
        elif name.endswith("enable_grad"):
            m.frame.no_grad = False
        if item.optional_vars is not None:
            bind(m, item.optional_vars, value if not value.payload else UNKNOWN)
    m.run(node.body)
    m.frame.no_grad = saved


def _is_disabled(node: ast.expr, name: str) -> bool:
    if not name.endswith("set_grad_enabled") or not isinstance(node, ast.Call) or not node.args:
        return False
    return isinstance(node.args[0], ast.Constant) and not node.args[0].value


def _try(m: Machine, node: ast.Try) -> None:
    before = dict(m.frame.env)
    m.run(node.body)
    after, alive = m.frame.env, m.frame.alive
    for handler in node.handlers:
        m.frame.env, m.frame.alive = dict(before), True
        m.run(handler.body)
        if m.frame.alive:
            after, alive = merge(after, m.frame.env), True
    m.frame.env, m.frame.alive = after, alive
    m.run(node.orelse)
    m.run(node.finalbody)


def _expression(m: Machine, node: ast.Expr) -> None:
    value = m.evaluate(node.value)
    m.record("statement", node, base=value)
    in_place(m, node.value, value)


def _match(m: Machine, node: ast.Match) -> None:
    m.evaluate(node.subject)
    before, merged, alive = dict(m.frame.env), dict(m.frame.env), True
    for case in node.cases:
        m.frame.env, m.frame.alive = dict(before), True
        m.run(case.body)
        if m.frame.alive:
            merged = merge(merged, m.frame.env)
    m.frame.env, m.frame.alive = merged, alive


def _nothing(_m: Machine, _node: ast.stmt) -> None:
    """Definitions are run for themselves, the others do nothing to values."""


STATEMENTS: dict[type[ast.AST], Callable[[Machine, Any], None]] = {
    **dict.fromkeys(_IGNORED, _nothing),
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.Raise: _stop,
    ast.Continue: _stop,
    ast.Break: _stop,
    ast.If: _if,
    ast.For: _loop,
    ast.AsyncFor: _loop,
    ast.While: _loop,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.Expr: _expression,
    ast.Match: _match,
}
"""What runs each kind of statement; of others the expressions are evaluated."""
