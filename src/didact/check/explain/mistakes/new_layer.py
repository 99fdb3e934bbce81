"""A layer made anew in every call of a loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact.check.correct.site import span
from didact.check.engine.names import is_loss
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._losses import LOSSES
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Finding, Severity

CODES = {"KE121": ("LAYER-IN-LOSS",)}
_MAKERS = (
    "__init__", "build", "make", "create", "setup", "init", "get_", "main", "_make", "_build",
)  # fmt: skip
"""How functions begin that make layers for good."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


NEW_LAYER = "KE121"
_LAYERS = frozenset(
    {
        "Linear", "LazyLinear", "Bilinear", "Embedding", "Conv1d", "Conv2d", "Conv3d",
        "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "BatchNorm1d", "BatchNorm2d",
        "BatchNorm3d", "LayerNorm", "GroupNorm", "Sequential", "LSTM", "GRU", "RNN",
        "MultiheadAttention", "TransformerEncoderLayer",
    }
)  # fmt: skip


def _new_layers(function: Function) -> Iterator[Finding]:
    """A layer with weights that is made where a loss is computed, and used there at once."""
    calls = [n for n in nodes_of(function) if isinstance(n, ast.Call)]
    named = {last_name(n.func) for n in calls}
    if not named & LOSSES and not any(is_loss(name) for name in named):
        return
    used = {n.func.id for n in calls if isinstance(n.func, ast.Name)}
    for node in nodes_of(function):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name = node.targets[0].id
        made = node.value
        while isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute):
            if made.func.attr in _LAYERS:
                break
            made = made.func.value
        if isinstance(made, ast.Call) and last_name(made.func) in _LAYERS and name in used:
            message = OWN[NEW_LAYER].format(name=name, function=function.name)
            yield Finding(NEW_LAYER, Severity.ERROR, span(node), message)


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Function by function."""
    for node in nodes_of(tree):
        if isinstance(node, Function) and not node.name.startswith(_MAKERS):
            yield from _new_layers(node)
