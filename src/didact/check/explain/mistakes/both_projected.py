"""A distance between two sides that both go through layers which it trains."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact.check.engine.names import role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._look import finding
from didact.check.findings.finding import Finding, Severity

CODES = {"KE239": ("BOTH-TRAINED",)}
_DISTANCES = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})
_TEACHERS = re.compile(r"(f|x|z|h|e|emb|feat|feats|hid)_?t$")
_LAYERS = frozenset({"Linear", "Conv2d", "Conv1d"})


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Where a module returns nothing but such a distance, and freezes neither layer."""
    for module in nodes_of(tree):
        if not isinstance(module, ast.ClassDef):
            continue
        layers = _layers(module)
        for function in module.body:
            if isinstance(function, ast.FunctionDef) and function.name == "forward" and layers:
                yield from _of_forward(function, layers)


def _layers(module: ast.ClassDef) -> set[str]:
    """The plain layers that a module makes; none where it touches ``requires_grad``."""
    if "requires_grad" in ast.unparse(module):
        return set()
    return {
        n.targets[0].attr for n in ast.walk(module)
        if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Attribute)
        and isinstance(n.value, ast.Call) and last_name(n.value.func) in _LAYERS
    }  # fmt: skip


def _of_forward(function: ast.FunctionDef, layers: set[str]) -> Iterator[Finding]:
    through: dict[str, str] = {}
    for statement in function.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            through[statement.targets[0].id] = _layer_of(statement.value, layers, through)
        if not isinstance(statement, ast.Return) or not isinstance(statement.value, ast.Call):
            continue
        call = statement.value
        if last_name(call.func) not in _DISTANCES or len(call.args) < 2:
            continue
        student, teacher = (_layer_of(a, layers, through) for a in call.args[:2])
        names = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        told = any(role_of(n) is Role.TEACHER or _TEACHERS.match(n) for n in names)
        if student and teacher and told:
            yield finding("KE239", Severity.WARNING, call, layers=f"{student}`, `{teacher}")


def _layer_of(node: ast.expr, layers: set[str], through: dict[str, str]) -> str:
    """The layer that a value comes out of; nothing where it is normalised or cut behind it."""
    if isinstance(node, ast.Name):
        return through.get(node.id, "")
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    owner = node.func.value
    own = isinstance(owner, ast.Name) and owner.id == "self" and node.func.attr in layers
    return f"self.{node.func.attr}" if own else ""
