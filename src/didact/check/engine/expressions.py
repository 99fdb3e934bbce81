"""The abstract value of an expression, by its kind."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from didact.check.engine import arithmetic
from didact.check.engine.assign import bind
from didact.check.engine.attributes import attribute
from didact.check.engine.calls import call
from didact.check.engine.guess import guess
from didact.check.engine.inline import assigned_elsewhere, from_project
from didact.check.engine.iteration import element
from didact.check.engine.machine import Kind, Machine, Path, Routine
from didact.check.engine.names import dotted
from didact.check.engine.scale import Scale, as_number
from didact.check.engine.spaces import Grad, Space
from didact.check.engine.subscript import subscript
from didact.check.engine.tables import table
from didact.check.engine.values import MAX_ITEMS, MAX_TERMS, NOTHING, UNKNOWN, Value, join


def _constant(_m: Machine, node: ast.Constant) -> Value:
    if node.value is None:
        return NOTHING
    number = as_number(node.value)
    if number is not None:
        return Value(space=Space.SCALAR, number=number, scale=Scale(number) if number else Scale())
    if isinstance(node.value, str):
        return Value(payload=node.value)
    return UNKNOWN


def _name(m: Machine, node: ast.Name) -> Value:
    index = m.index
    for env in (m.frame.env, m.frames[0].env if index is m.own else {}):
        if node.id in env:
            return env[node.id]
    if node.id in index.functions:
        return Value(space=Space.FUNCTION, payload=Routine(index.functions[node.id], index))
    if node.id in index.classes:
        return Value(payload=Kind(index.classes[node.id]))
    if node.id in index.top_level and index is not m.own:
        return assigned_elsewhere(m, index, node.id)
    found = from_project(m, node.id)
    if found is not None:
        return found
    path = index.lookup(node.id)
    if path is not None:
        return Value(payload=Path(path))
    return guess(node.id, node)


def _call(m: Machine, node: ast.Call) -> Value:
    callee = m.evaluate(node.func)
    arguments = [m.evaluate(argument) for argument in node.args]
    keywords = {}
    for keyword in node.keywords:
        value = m.evaluate(keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
    return call(m, node, callee, arguments, keywords)


def _binary(m: Machine, node: ast.BinOp) -> Value:
    chain: list[ast.BinOp] = []
    current: ast.expr = node
    while isinstance(current, ast.BinOp):
        chain.append(current)
        current = current.left
    value = m.evaluate(current)
    for part in reversed(chain):
        value = arithmetic.binary(m, part, value, m.evaluate(part.right))
        m.see(part, value)
    return value


def _unary(m: Machine, node: ast.UnaryOp) -> Value:
    value = m.evaluate(node.operand)
    if isinstance(node.op, ast.USub):
        return arithmetic.negated(value)
    return Value(space=Space.MASK) if isinstance(node.op, ast.Invert) else UNKNOWN


def _compare(m: Machine, node: ast.Compare) -> Value:
    left = m.evaluate(node.left)
    others = [m.evaluate(other) for other in node.comparators]
    m.record("compare", node, base=left, other=others[0])
    return Value(space=Space.MASK, grad=Grad.NO, origin=node)


def _conditional(m: Machine, node: ast.IfExp) -> Value:
    m.evaluate(node.test)
    return join(m.evaluate(node.body), m.evaluate(node.orelse))


def _boolean(m: Machine, node: ast.BoolOp) -> Value:
    values = [m.evaluate(value) for value in node.values]
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result


def _tuple(m: Machine, node: ast.Tuple | ast.List) -> Value:
    items = tuple(m.evaluate(item) for item in node.elts)
    starred = any(isinstance(item, ast.Starred) for item in node.elts)
    kept = items[:MAX_ITEMS]
    terms = tuple(t for item in kept for t in item.terms)[:MAX_TERMS]
    sources = frozenset[int]().union(*(item.sources for item in kept))
    whole = not starred and len(items) <= MAX_ITEMS
    return Value(items=items if whole else None, terms=terms, sources=sources)


def _comprehension(m: Machine, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Value:
    saved = dict(m.frame.env)
    for generator in node.generators:
        iterated = m.evaluate(generator.iter)
        bind(m, generator.target, element(m, generator.iter, iterated))
        for condition in generator.ifs:
            m.evaluate(condition)
    value = m.evaluate(node.elt)
    m.frame.env = saved
    return Value(items=(value,), terms=value.terms, sources=value.sources, role=value.role)


def _container(m: Machine, node: ast.Dict | ast.Set | ast.DictComp) -> Value:
    m.evaluate_children(node)
    made = table(m, node) if isinstance(node, ast.Dict) else None
    return Value(payload=made or "container", origin=node)


def _lambda(m: Machine, node: ast.Lambda) -> Value:
    return Value(space=Space.FUNCTION, payload=Routine(node, m.index))


def _walrus(m: Machine, node: ast.NamedExpr) -> Value:
    value = m.evaluate(node.value)
    bind(m, node.target, value)
    return value


def _subscript(m: Machine, node: ast.Subscript) -> Value:
    base = m.evaluate(node.value)
    for part in ast.walk(node.slice) if not isinstance(node.slice, ast.Constant) else ():
        if isinstance(part, ast.expr) and not isinstance(part, ast.Tuple | ast.Slice):
            m.evaluate(part)
            break
    name = dotted(node)
    return subscript(m, node, base, name)


def _wrapped(m: Machine, node: ast.Await | ast.Starred) -> Value:
    return m.evaluate(node.value)


EXPRESSIONS: dict[type[ast.AST], Callable[[Machine, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: attribute,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.BoolOp: _boolean,
    ast.Tuple: _tuple,
    ast.List: _tuple,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.SetComp: _comprehension,
    ast.Dict: _container,
    ast.Set: _container,
    ast.DictComp: _container,
    ast.Lambda: _lambda,
    ast.NamedExpr: _walrus,
    ast.Subscript: _subscript,
    ast.Await: _wrapped,
    ast.Starred: _wrapped,
}
"""What evaluates each kind of expression."""
