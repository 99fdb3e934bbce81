"""Distillation losses of Keras: which calls they are, and what goes into them.

The interpreter knows PyTorch; here a few calls are looked at for themselves, in files that import
TensorFlow or Keras, and only where both arguments are softmaxes that stand in reach.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from didact.check.engine.events import Scope
from didact.check.engine.names import dotted, is_temperature, role_of
from didact.check.engine.spaces import Role
from didact.check.rules._trace import callee, path

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

_PACKAGES = ("tensorflow", "keras")
_DIVERGENCE_CLASSES = ("KLDivergence", "KLD")
_DIVERGENCES = ("kl_divergence", "kullback_leibler_divergence", "kld")


@dataclass(frozen=True, slots=True)
class Side:
    """One argument of a divergence.

    Attributes:
        role: Whose it is, by the name that it begins with.
        softmaxes: How many softmaxes it passed.
        temperature: The dotted name of the divisor before the last of them; empty without one.
    """

    role: Role
    softmaxes: int
    temperature: str


@dataclass(frozen=True, slots=True)
class Divergence:
    """One ``KLDivergence()(y_true, y_pred)``."""

    node: ast.Call
    true: Side
    predicted: Side
    scope: Scope


def is_keras(analysis: Analysis) -> bool:
    """Whether a file imports TensorFlow or Keras, and not PyTorch beside it."""
    roots = {path.split(".")[0] for path in analysis.index.imports.values()}
    return bool(roots & set(_PACKAGES)) and "torch" not in roots


def divergences(analysis: Analysis) -> Iterator[Divergence]:
    """The divergences of a Keras file whose arguments are both given by position."""
    if not is_keras(analysis):
        return
    objects = _objects(analysis)
    for node in analysis.index.of(ast.Call):
        if not _is_divergence(analysis, node, objects) or len(node.args) < 2:
            continue
        scope = Scope(_function_of(analysis, node))
        true, predicted = (_side(analysis, part, scope) for part in node.args[:2])
        yield Divergence(node, true, predicted, scope)


def _is_made(analysis: Analysis, node: ast.AST) -> bool:
    name = callee(analysis, node)
    return name.split(".")[0] in _PACKAGES and name.rpartition(".")[2] in _DIVERGENCE_CLASSES


def _objects(analysis: Analysis) -> set[str]:
    """The names of divergences that the file makes: assigned, or passed on by keyword."""
    found = {
        dotted(node.targets[0]).removeprefix("self.")
        for node in analysis.index.of(ast.Assign)
        if _is_made(analysis, node.value)
    }
    for node in analysis.index.of(ast.Call):
        found |= {k.arg for k in node.keywords if k.arg and _is_made(analysis, k.value)}
    return found - {""}


def _is_divergence(analysis: Analysis, node: ast.Call, objects: set[str]) -> bool:
    if _is_made(analysis, node.func):
        return True
    name = callee(analysis, node)
    if name.split(".")[0] in _PACKAGES:
        return name.rpartition(".")[2] in _DIVERGENCES
    return dotted(node.func).removeprefix("self.") in objects


def _function_of(
    analysis: Analysis, node: ast.AST
) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module:
    around = analysis.parent_of(node)
    while around is not None:
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return around
        around = analysis.parent_of(around)
    return analysis.tree


def _side(analysis: Analysis, node: ast.expr, scope: Scope) -> Side:
    count, divisor, last = 0, "", node
    for step in path(analysis, node, scope):
        last = step.node
        if callee(analysis, last).rpartition(".")[2] == "softmax":
            count += 1
        elif count and not divisor and isinstance(last, ast.BinOp) and isinstance(last.op, ast.Div):
            name = root_of(analysis, last.right, step.scope)
            divisor = name if is_temperature(name) else ""
    text = dotted(last.func) if isinstance(last, ast.Call) else dotted(last)
    return Side(role_of(text) if text else Role.UNKNOWN, count, divisor)


def root_of(analysis: Analysis, node: ast.expr, scope: Scope) -> str:
    """The dotted name that a value begins with, behind its aliases; empty if there is none."""
    name = ""
    for step in path(analysis, node, scope):
        name = dotted(step.node)
    return name
