"""Dictionaries of callables: ``{"kl": nn.KLDivLoss(), "ce": nn.CrossEntropyLoss()}[name]``."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from didact.check.engine.machine import Machine
from didact.check.engine.values import MAX_CHOICES, UNKNOWN, Callee, Value, join


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


def table(m: Machine, node: ast.Dict) -> Table | None:
    """A dictionary as a table, if it is one."""
    keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
    if not keys or len(keys) > MAX_CHOICES or not all(isinstance(key, str) for key in keys):
        return None
    values = [m.latest.get(id(value), UNKNOWN) for value in node.values]
    if not all(isinstance(value.payload, Callee) for value in values):
        return None
    return Table(tuple((str(key), value) for key, value in zip(keys, values, strict=True)))
