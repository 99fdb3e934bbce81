"""What a step does with its loss, seen without following numbers: layers made anew, sums lost."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

NEW_LAYER = "KE121"
OVERWRITTEN = "KE122"
_LAYERS = frozenset(
    {
        "Linear", "LazyLinear", "Bilinear", "Embedding", "Conv1d", "Conv2d", "Conv3d",
        "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "BatchNorm1d", "BatchNorm2d",
        "BatchNorm3d", "LayerNorm", "GroupNorm", "Sequential", "LSTM", "GRU", "RNN",
        "MultiheadAttention", "TransformerEncoderLayer",
    }
)  # fmt: skip
_MAKERS = (
    "__init__",
    "build",
    "make",
    "create",
    "setup",
    "init",
    "get_",
    "main",
    "_make",
    "_build",
)
_LOSSES = frozenset(
    {
        "kl_div", "mse_loss", "l1_loss", "smooth_l1_loss", "cross_entropy", "cosine_similarity",
        "cosine_embedding_loss", "huber_loss", "normalize", "backward",
    }
)  # fmt: skip
_BATCHES = ("loader", "dataset", "epoch", "batch", "iter", "tqdm", "steps", "range")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def graph_findings(tree: ast.Module) -> Iterator[Finding]:
    """Layers that each call of a loss makes anew, and losses that a loop overwrites."""
    for node in nodes_of(tree):
        if isinstance(node, Function) and not node.name.startswith(_MAKERS):
            yield from _new_layers(node)
        if isinstance(node, ast.For):
            yield from _overwritten(node, tree)


def _new_layers(function: Function) -> Iterator[Finding]:
    """A layer with weights that is made where a loss is computed, and used there at once."""
    calls = [n for n in ast.walk(function) if isinstance(n, ast.Call)]
    named = {_last(n.func) for n in calls}
    if not named & _LOSSES and not any(is_loss(name) for name in named):
        return
    used = {n.func.id for n in calls if isinstance(n.func, ast.Name)}
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        made = node.value
        while isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute):
            if made.func.attr in _LAYERS:
                break
            made = made.func.value
        if isinstance(made, ast.Call) and _last(made.func) in _LAYERS and name in used:
            message = OWN[NEW_LAYER].format(name=name, function=function.name)
            yield Finding(NEW_LAYER, Severity.ERROR, span(node), message)


def _overwritten(loop: ast.For, tree: ast.Module) -> Iterator[Finding]:
    """A loss that each round sets anew, does not use, and that is read behind the loop."""
    if any(word in ast.unparse(loop.iter).lower() for word in _BATCHES):
        return
    for statement in loop.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        name = statement.targets[0].id
        called = {_last(n.func) for n in ast.walk(statement.value) if isinstance(n, ast.Call)}
        if not is_loss(name) or not (called & _LOSSES or any(map(is_loss, called))):
            continue
        places = [n for s in loop.body for n in ast.walk(s) if _is_named(n, name)]
        inside = [n for n in places if isinstance(n.ctx, ast.Load)]
        stores = [n for n in places if isinstance(n.ctx, ast.Store)]
        last = loop.end_lineno or loop.lineno
        behind = any(
            _is_named(n, name) and isinstance(n.ctx, ast.Load) and n.lineno > last
            for n in nodes_of(tree)
        )
        started = any(_is_zero(n, name) and n.lineno < loop.lineno for n in nodes_of(tree))
        if not inside and len(stores) == 1 and behind and started:
            edit = Edit(span(statement), f"{name} += {ast.unparse(statement.value)}")
            fix = Fix((edit,), "unsafe", Text("Add up the rounds", "把各轮加起来"))
            message = OWN[OVERWRITTEN].format(name=name, over=ast.unparse(loop.iter))
            yield Finding(OVERWRITTEN, Severity.ERROR, span(statement), message, fix)


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_named(node: ast.AST, name: str) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id == name


def _is_zero(node: ast.AST, name: str) -> TypeGuard[ast.Assign]:
    """Whether a statement starts a sum: ``loss = 0``."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
        return False
    return node.value.value == 0 and any(_is_named(t, name) for t in node.targets)
