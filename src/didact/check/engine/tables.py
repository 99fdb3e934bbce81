"""Dictionaries: of callables, ``{"kl": nn.KLDivLoss()}[name]``, and of losses and outputs."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from didact.check.engine.machine import Machine
from didact.check.engine.values import (
    MAX_CHOICES,
    MAX_ITEMS,
    UNKNOWN,
    Callee,
    Record,
    Value,
    join,
)


@dataclass(frozen=True, slots=True)
class Table:
    """A dictionary with constant keys whose values can be called."""

    entries: tuple[tuple[str, Value], ...]

    def get(self, key: object) -> Value:
        """The entry of a key; what is common to all, each kept apart, where it is not known."""
        found = [value for name, value in self.entries if name == key]
        if isinstance(key, str):
            return found[-1] if found else UNKNOWN
        result = self.entries[0][1]
        for _, value in self.entries[1:]:
            result = join(result, value)
        return result


def table(m: Machine, node: ast.Dict) -> Table | Record | None:
    """A dictionary whose keys are written out; a table where all of its values can be called."""
    keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    if len(keys) > MAX_ITEMS or not all(isinstance(key, str) for key in keys):
        return None
    values = [m.latest.get(id(value), UNKNOWN) for value in node.values]
    entries = tuple((str(key), value) for key, value in zip(keys, values, strict=True))
    callable_ = all(isinstance(value.payload, Callee) for value in values)
    return Table(entries) if entries and callable_ and len(keys) <= MAX_CHOICES else Record(entries)


def constant_key(node: ast.expr) -> str | None:
    """The key that a subscript writes out."""
    key = node.slice if isinstance(node, ast.Subscript) else None
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None


def record_method(m: Machine, node: ast.Call, record: Record, name: str) -> Value | None:
    """What a method of a dictionary gives; nothing where it is no such method."""
    if name in ("get", "pop") and node.args:
        key = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        return record.get(key)
    values = tuple(value for _, value in record.entries)
    if name == "values":
        return Value(items=values)
    if name == "items":
        return Value(items=tuple(Value(items=(UNKNOWN, value)) for value in values))
    if name == "update":
        updated = updated_by(m, node, record)
        return Value(payload=updated, origin=node)
    return Value(payload=record, origin=node) if name == "copy" else None


def updated_by(m: Machine, node: ast.Call, record: Record) -> Record:
    """A dictionary after ``update(other, key=value)``."""
    for argument in node.args:
        other = m.latest.get(id(argument), UNKNOWN).payload
        for key, value in other.entries if isinstance(other, Record) else ():
            record = record.having(key, value)
    for keyword in node.keywords:
        if keyword.arg is not None:
            record = record.having(keyword.arg, m.latest.get(id(keyword.value), UNKNOWN))
    return record
