"""Parts with weights that stand on the way to a loss and that no optimiser is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_loss, role_of
from didact.check.engine.spaces import Role
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

UNTRAINED = "KE136"
CODES = {UNTRAINED: ("NOT-IN-OPTIMIZER",)}
_WEIGHTED = frozenset(
    {
        "Linear", "LazyLinear", "Bilinear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d",
        "ConvTranspose2d", "ConvTranspose3d", "Parameter",
    }
)  # fmt: skip
_MOVED = frozenset({"to", "cuda", "cpu", "half", "float", "double", "train"})
_HANDS_ON = frozenset(
    {"parameters", "named_parameters", "state_dict", "load_state_dict", "modules", "apply"}
)
_COMPARING = frozenset(
    {
        "kl_div", "mse_loss", "l1_loss", "smooth_l1_loss", "cross_entropy", "cosine_similarity",
        "cosine_embedding_loss", "huber_loss", "normalize", "MSELoss", "KLDivLoss",
    }
)  # fmt: skip


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Objects of classes of the code that compute a loss with layers of their own."""
    optimisers = [n for n in nodes_of(tree) if isinstance(n, ast.Call) and _is_optimiser(n)]
    if len(optimisers) != 1 or not _is_plain(optimisers[0]):
        return
    classes = [c for c in nodes_of(tree) if isinstance(c, ast.ClassDef) and _has_weights(c)]
    made_here = {c.name for c in classes}
    losses = {c.name for c in classes if _compares(c)}
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name, made = node.targets[0].id, _made(node.value)
        used = made in losses or (made in made_here and _is_called(tree, name))
        if used and role_of(name) is Role.UNKNOWN and _is_left_alone(tree, name):
            yield Finding(
                UNTRAINED, Severity.WARNING, span(node), OWN[UNTRAINED].format(name=name),
                _given(tree, optimisers[0], node, name),
            )  # fmt: skip


def _is_optimiser(call: ast.Call) -> bool:
    owner = ast.unparse(call.func)
    if "lr_scheduler" in owner:
        return False
    named = "optim." in owner or any(k.arg == "lr" for k in call.keywords)
    return named and ".parameters" in ast.unparse(call)


def _is_plain(call: ast.Call) -> bool:
    """Whether an optimiser is given nothing but ``model.parameters()``."""
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Call) and last_name(first.func) == "parameters"


def _has_weights(node: ast.ClassDef) -> bool:
    """Whether a class makes layers with weights."""
    calls = {last_name(n.func) for n in nodes_of(node) if isinstance(n, ast.Call)}
    methods = {m.name for m in node.body if isinstance(m, ast.FunctionDef)}
    return bool(calls & _WEIGHTED) and "forward" in methods


def _compares(node: ast.ClassDef) -> bool:
    """Whether a class compares something: it is a loss, whether it is called here or not."""
    calls = {last_name(n.func) for n in nodes_of(node) if isinstance(n, ast.Call)}
    return bool(calls & _COMPARING) or any(map(is_loss, calls)) or is_loss(node.name)


def _is_called(tree: ast.Module, name: str) -> bool:
    """Whether an object is called where a graph is recorded, and the loss goes back."""
    frozen = {
        id(inner) for block in nodes_of(tree) if isinstance(block, ast.With)
        and any("no_grad" in ast.unparse(i) or "inference" in ast.unparse(i) for i in block.items)
        for inner in nodes_of(block)
    }  # fmt: skip
    calls = [n for n in nodes_of(tree) if isinstance(n, ast.Call) and id(n) not in frozen]
    back = any(last_name(c.func) == "backward" for c in calls)
    return back and any(isinstance(c.func, ast.Name) and c.func.id == name for c in calls)


def _made(value: ast.expr) -> str:
    """The class whose object a statement makes, moved or not."""
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        if value.func.attr not in _MOVED:
            return ""
        value = value.func.value
    return value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""


def _is_left_alone(tree: ast.Module, name: str) -> bool:
    """Whether an object is called or moved alone: not frozen, handed on or listed anywhere."""
    inside: dict[int, ast.AST] = {}
    for node in nodes_of(tree):
        for child in ast.iter_child_nodes(node):
            inside[id(child)] = node
    for node in nodes_of(tree):
        if not isinstance(node, ast.Name) or node.id != name or isinstance(node.ctx, ast.Store):
            continue
        around = inside.get(id(node))
        if isinstance(around, ast.Call) and around.func is node:
            continue
        if not isinstance(around, ast.Attribute) or around.attr in _HANDS_ON:
            return False
        if around.attr == "eval" or around.attr.startswith("requires_grad"):
            return False
    return not any(
        isinstance(n, ast.Call) and last_name(n.func) == "add_param_group" for n in nodes_of(tree)
    )


def _given(tree: ast.Module, optimiser: ast.Call, layer: ast.Assign, name: str) -> Fix | None:
    """The layer in the optimiser's list, or as a group of its own where it is made later."""
    message = Text("Train it as well", "一并训练")
    if layer.lineno < optimiser.lineno:
        first = ast.unparse(optimiser.args[0])
        text = f"[*{first}, *{name}.parameters()]"
        return Fix((Edit(span(optimiser.args[0]), text),), "unsafe", message)
    kept = next((n for n in tree.body if isinstance(n, ast.Assign) and n.value is optimiser), None)
    if kept is None or not isinstance(kept.targets[0], ast.Name):
        return None
    where = span(layer)
    after = Span(where.end_line, where.end_column, where.end_line, where.end_column)
    group = f'{kept.targets[0].id}.add_param_group({{"params": {name}.parameters()}})'
    return Fix((Edit(after, f"\n{group}"),), "unsafe", message)
