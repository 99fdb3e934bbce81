"""Where a teacher is built in the function that runs it."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

from didact.check.engine.events import Forward
from didact.check.engine.index import ClassInfo
from didact.check.engine.names import dotted, words
from didact.check.engine.nodes import nodes_of

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis


def built_here(analysis: Analysis, forward: Forward) -> ast.AST | None:
    """Where a teacher is built in the function that runs it: then it is in training mode."""
    name = forward.model
    if not name.isidentifier() or isinstance(forward.scope.node, ast.Lambda):
        return None
    made, handed_on = _assigned_and_handed_on(forward.scope.node)
    if name in handed_on:
        return None
    built = [node for node in made.get(name, ()) if not _is_wrapping(node.value, name)]
    if len(built) != 1 or not _has_modes(analysis, built[0].value):
        return None
    return built[0]


@lru_cache(maxsize=256)
def _assigned_and_handed_on(function: ast.AST) -> tuple[dict[str, list[ast.Assign]], set[str]]:
    """The assignments to each name, and the names that a call may put into evaluation mode."""
    made: dict[str, list[ast.Assign]] = defaultdict(list)
    handed_on: set[str] = set()
    for part in nodes_of(function):
        if isinstance(part, ast.Assign):
            for name in {dotted(target) for target in part.targets}:
                made[name].append(part)
        elif isinstance(part, ast.Call):
            last = set(words(dotted(part.func).rpartition(".")[2]))
            if not last & _HARMLESS:
                given = [*part.args, *(k.value for k in part.keywords)]
                handed_on |= {a.id for a in given if isinstance(a, ast.Name)}
    return made, handed_on


_HARMLESS = {"load", "parallel", "summary", "print", "count", "len", "deepcopy"}


def _is_wrapping(value: ast.expr, name: str) -> bool:
    return any(isinstance(part, ast.Name) and part.id == name for part in nodes_of(value))


def _has_modes(analysis: Analysis, value: ast.expr) -> bool:
    """Whether a model is made that computes another thing in training mode, for certain."""
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        if value.func.attr in ("eval", "train", "requires_grad_"):
            return False
        if value.func.attr not in ("to", "cuda", "cpu", "float", "half"):
            break
        value = value.func.value
    if not isinstance(value, ast.Call):
        return False
    path = dotted(value.func)
    root, _, rest = path.partition(".")
    full = ".".join(filter(None, (analysis.index.lookup(root) or root, rest)))
    name = full.rpartition(".")[2]
    if full.startswith(("torchvision.models", "timm.create_model")) and name[:1].islower():
        return True
    if "resnet" in name.lower() or "mobilenet" in name.lower():
        return name[:1].islower() or analysis.index.defined(path) is not None
    found = analysis.index.classes.get(path)
    if found is None:
        other = analysis.index.defined(path) if path else None
        found = other.what if other is not None and isinstance(other.what, ClassInfo) else None
    return found is not None and _names_modes(found)


def _names_modes(info: ClassInfo) -> bool:
    """Whether a module of the project has batch statistics or dropout written in it."""
    calls = (part for part in nodes_of(info.node) if isinstance(part, ast.Call))
    names = [dotted(call.func).rpartition(".")[2] for call in calls]
    return any(is_module(base) for base in info.bases) and any(
        name.startswith(("BatchNorm", "SyncBatchNorm")) for name in names
    )


def is_module(base: str) -> bool:
    """Whether a base class is a module of PyTorch or Lightning."""
    return base == "Module" or "Lightning" in base or base.endswith(("Module", "Model"))
