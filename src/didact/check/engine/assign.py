"""Assignment: to names, attributes, parts of tensors, tuples."""

from __future__ import annotations

import ast

from didact.check.engine.guess import guess, hinted, named
from didact.check.engine.machine import Machine
from didact.check.engine.names import dotted, is_feature
from didact.check.engine.scale import Scale
from didact.check.engine.spaces import RAW, Evidence, Grad, Role, Space
from didact.check.engine.tables import constant_key
from didact.check.engine.values import UNKNOWN, Record, Value, join


def element_of(value: Value) -> Value:
    """One element of what is iterated."""
    if value.items:
        result = value.items[0]
        for item in value.items[1:]:
            result = join(result, item)
        return result
    return Value(role=value.role, role_from=value.role_from, grad=value.grad, sources=value.sources)


def bind(m: Machine, target: ast.expr, value: Value) -> None:
    """Assign a value to a name, an attribute, a subscript or a tuple of them."""
    if isinstance(target, ast.Name):
        value = hinted(value, m.frame.hints.get(id(target)))
        m.frame.env[target.id] = named(target.id, value, target)
        m.see(target, m.frame.env[target.id])
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(m, target, value)
    elif isinstance(target, ast.Attribute):
        m.evaluate(target.value)
        if name := dotted(target):
            value = hinted(value, m.frame.hints.get(id(target)))
            m.frame.env[name] = named(name, value, target)
    elif isinstance(target, ast.Subscript):
        _store(m, target, value)
    elif isinstance(target, ast.Starred):
        bind(m, target.value, UNKNOWN)


def _unpack(m: Machine, target: ast.Tuple | ast.List, value: Value) -> None:
    items = value.items
    for position, element in enumerate(target.elts):
        if items is not None and len(items) == len(target.elts):
            bind(m, element, items[position])
            continue
        part = UNKNOWN
        if value.space is Space.OUTPUT or value.sources:
            name = dotted(element)
            logits = guess(name).space is Space.LOGITS or name.rsplit(".", 1)[-1] in (
                "out",
                "output",
                "outputs",
                "pred",
            )
            space = (
                Space.OUTPUT if logits else (Space.FEATURES if is_feature(name) else Space.UNKNOWN)
            )
            part = value.replace(
                space=space, space_from=Evidence.NAME, payload=None, items=None, rank=None
            )
        elif value.terms:
            part = UNKNOWN
        bind(m, element, part)


def _store(m: Machine, target: ast.Subscript, value: Value) -> None:
    base = m.evaluate(target.value)
    m.evaluate(target.slice)
    m.record("store", target, base=base, other=value)
    name = dotted(target.value)
    if not name or name not in m.frame.env:
        return
    if isinstance(base.payload, Record):
        key = constant_key(target)
        if key is not None:
            entry = named(f"{name}.{key}", value, target)
            m.frame.env[name] = base.replace(payload=base.payload.having(key, entry))
        return
    grad = Grad.YES if value.grad is Grad.YES else base.grad
    same = base.space is value.space or value.space in (Space.UNKNOWN, Space.SCALAR)
    mixed = base.replace(
        space=base.space if same else Space.UNKNOWN,
        grad=grad,
        sources=base.sources | value.sources,
        payload=None,
        shifted=True,
    )
    rows = base.payload == "filled" and not _arity_two(target.slice)
    if rows and value.is_tensor and value.space not in (Space.LOSS, Space.LABELS, Space.MASK):
        mixed = value.replace(payload=None, items=None, rank=None, sources=mixed.sources, axis=-1)
    elif base.space is Space.ONE_HOT and value.space in RAW:
        mixed = mixed.replace(space=Space.MIXED)
    elif base.space is Space.ONE_HOT and value.space in (Space.PROBS, Space.SIGMOID_PROBS):
        mixed = mixed.replace(space=Space.ONE_HOT, role=Role.UNKNOWN)
    elif base.payload == "filled" and not value.is_tensor and _arity_two(target.slice):
        mixed = mixed.replace(space=Space.ONE_HOT, payload="filled", scale=Scale())
    if value.terms:
        mixed = mixed.replace(space=Space.LOSS, terms=value.terms, payload=None)
    m.frame.env[name] = mixed


def _arity_two(key: ast.expr) -> bool:
    return isinstance(key, ast.Tuple) and len(key.elts) == 2
