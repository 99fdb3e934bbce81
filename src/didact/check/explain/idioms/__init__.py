"""Idioms of losses and trainings: what an expression or a line is for, one idea per module.

A module has ``phrase(scene, node)``, a noun phrase for an expression, or ``sentence(scene,
statement)``, a whole sentence for a line, or both; each gives None where its idea is not there.
What is recognised is recognised on the formula that the code computes, however it is written.
"""

from __future__ import annotations

import ast

from didact._core.i18n import Text
from didact.check.explain.formula.tree import Call
from didact.check.explain.idioms import (
    classes,
    cosines,
    distances,
    divergences,
    hooks,
    library_losses,
    maps,
    memory,
    mixtures,
    modules,
    old_torch,
    relations,
    schedules,
    selections,
    softmaxes,
    squares,
    tensors,
    totals,
    updates,
)
from didact.check.explain.idioms._scene import Scene

__all__ = ["Scene", "idiom", "line_idiom"]

_MODULES = (
    totals, distances, relations, classes, divergences, softmaxes, selections, squares, maps,
    library_losses, schedules, tensors, modules, old_torch, updates, memory, hooks,
    mixtures, cosines,
)  # fmt: skip
"""The first that has words is heard."""


def idiom(scene: Scene, node: ast.expr) -> Text | None:
    """What an expression gives, as a noun phrase."""
    if isinstance(node, ast.Name | ast.Constant) or _hands_on(scene, node):
        return None
    for module in _MODULES:
        told = getattr(module, "phrase", None)
        if told is not None and (words := told(scene, node)) is not None:
            return words  # type: ignore[no-any-return]
    return None


def _hands_on(scene: Scene, node: ast.expr) -> bool:
    """Whether a call gives what it is called on: ``x.clone()``, ``x.to(device)``."""
    method = node.func if isinstance(node, ast.Call) else None
    if not isinstance(method, ast.Attribute):
        return False
    base, part = scene.part(method.value), scene.part(node)
    return part is not None and (base is part or (isinstance(part, Call) and part.name == "detach"))


def line_idiom(scene: Scene, statement: ast.stmt) -> Text | None:
    """What a line does, as a sentence."""
    for module in _MODULES:
        told = getattr(module, "sentence", None)
        if told is not None and (words := told(scene, statement)) is not None:
            return words  # type: ignore[no-any-return]
    return None
