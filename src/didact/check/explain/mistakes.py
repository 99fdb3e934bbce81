"""Mistakes around a loss that the code alone shows: masks, signatures, graphs that are kept."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.causes import kept_graphs
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.slips import slips
from didact.check.explain.untrained import untrained
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

SIGNATURE = "KE125"
KEPT_GRAPH = "KE128"
MEAN_OVER_ALL = "KE129"
UNSHIFTED_MASK = "KE130"
CONSTRUCTED = "KE134"
UNCLEARED = "KE135"
_EXTRA = "num_items_in_batch"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def code_findings(tree: ast.Module) -> Iterator[Finding]:
    """What the code alone shows."""
    nodes = list(nodes_of(tree))
    called = {last_name(n.func) for n in nodes if isinstance(n, ast.Call)}
    for node in nodes:
        if isinstance(node, ast.ClassDef):
            yield from _trainer(node)
    if "backward" in called:
        yield from _kept(tree)
    if {"backward", "step"} <= called:
        yield from _uncleared(tree)
    if called & _CLASSES:
        yield from _constructed(tree)
    yield from untrained(tree)
    yield from slips(tree)
    scopes: list[ast.AST] = [n for n in nodes if isinstance(n, Function)] or [tree]
    for scope in scopes:
        masks = _masks(scope)
        if masks:
            yield from _means(scope, masks)
            yield from _unshifted(scope, masks)


def _trainer(node: ast.ClassDef) -> Iterator[Finding]:
    """``compute_loss`` without the argument that ``Trainer`` passes since transformers 4.46."""
    if not any(last_name(base).endswith("Trainer") for base in node.bases):
        return
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or method.name != "compute_loss":
            continue
        arguments = method.args
        names = {a.arg for a in [*arguments.args, *arguments.kwonlyargs]}
        if _EXTRA in names or arguments.kwarg is not None or not arguments.args:
            continue
        end = span(arguments.defaults[-1] if arguments.defaults else arguments.args[-1])
        place = Span(end.end_line, end.end_column, end.end_line, end.end_column)
        fix = Fix((Edit(place, f", {_EXTRA}=None"),), "unsafe", Text("Accept it", "加上该参数"))
        where = span(arguments.args[-1])
        yield Finding(SIGNATURE, Severity.WARNING, where, OWN[SIGNATURE], fix)


def _kept(tree: ast.Module) -> Iterator[Finding]:
    for node in kept_graphs(tree):
        value = node.value if isinstance(node, ast.AugAssign) else None
        if isinstance(node, ast.Call) and node.args:
            value = node.args[0]
        if value is None:
            continue
        plain = isinstance(value, ast.Name | ast.Attribute | ast.Call)
        text = ast.unparse(value)
        edit = Edit(span(value), f"{text}.item()" if plain else f"({text}).item()")
        fix = Fix((edit,), "unsafe", Text("Keep the number alone", "只保留数值"))
        message = OWN[KEPT_GRAPH].format(name=text)
        yield Finding(KEPT_GRAPH, Severity.WARNING, span(node), message, fix)


def _uncleared(tree: ast.Module) -> Iterator[Finding]:
    """A loop that goes back and steps, in code that nowhere clears the gradients."""
    text = ast.unparse(tree)
    if "zero_grad" in text or ".grad = None" in text:
        return
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For | ast.While):
            continue
        inner = [n for n in ast.walk(loop) if isinstance(n, ast.For | ast.While) and n is not loop]
        calls = [n for n in ast.walk(loop) if isinstance(n, ast.Call)]
        back = [c for c in calls if last_name(c.func) == "backward"]
        steps = [c for c in calls if last_name(c.func) == "step" and not c.args
                 and "sched" not in ast.unparse(c.func).lower()]  # fmt: skip
        if back and steps and not any(last_name(c.func) == "backward" for i in inner
                                      for c in ast.walk(i) if isinstance(c, ast.Call)):  # fmt: skip
            owner = ast.unparse(steps[0].func).removesuffix(".step")
            message = OWN[UNCLEARED].format(name=owner)
            yield Finding(UNCLEARED, Severity.ERROR, span(steps[0]), message)
            return


_CLASSES = frozenset(
    {
        "KLDivLoss", "MSELoss", "L1Loss", "SmoothL1Loss", "CrossEntropyLoss", "BCELoss",
        "BCEWithLogitsLoss", "NLLLoss", "CosineEmbeddingLoss",
    }
)  # fmt: skip


def _constructed(tree: ast.Module) -> Iterator[Finding]:
    """``nn.KLDivLoss(a, b)``: the tensors are given to the constructor."""
    for node in nodes_of(tree):
        if not isinstance(node, ast.Call) or last_name(node.func) not in _CLASSES:
            continue
        tensors = [a for a in node.args if not isinstance(a, ast.Constant | ast.Starred)]
        if len(tensors) < 2 or len(tensors) != len(node.args):
            continue
        name = last_name(node.func)
        options = [f"{k.arg}={ast.unparse(k.value)}" for k in node.keywords if k.arg]
        if name == "KLDivLoss" and not options:
            options = ['reduction="batchmean"']
        given = ", ".join(ast.unparse(a) for a in node.args)
        text = f"{ast.unparse(node.func)}({', '.join(options)})({given})"
        message = OWN[CONSTRUCTED].format(name=name)
        fix = Fix(
            (Edit(span(node), text),), "unsafe", Text("Make it, then call it", "先构造再调用")
        )
        yield Finding(CONSTRUCTED, Severity.ERROR, span(node), message, fix)


def _masks(scope: ast.AST) -> dict[str, bool]:
    """The names that hold masks; true where they were made from labels by a comparison."""
    found: dict[str, bool] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            compared = any(isinstance(n, ast.Compare) for n in ast.walk(node.value))
            name = node.targets[0].id
            if compared and not any(isinstance(n, ast.IfExp) for n in ast.walk(node.value)):
                found[name] = True
            elif "mask" in name.lower():
                found.setdefault(name, False)
    for node in ast.walk(scope):
        if isinstance(node, ast.arg) and "mask" in node.arg.lower():
            found.setdefault(node.arg, False)
    return found


def _mask_of(node: ast.expr, masks: dict[str, bool]) -> str | None:
    """The mask that a product multiplies with, as it is written."""
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
        return None
    for side in (node.right, node.left):
        base = side
        while isinstance(base, ast.Call | ast.Attribute | ast.Subscript):
            base = base.func if isinstance(base, ast.Call) else base.value
        if isinstance(base, ast.Name) and base.id in masks:
            return ast.unparse(side)
    return None


def _means(scope: ast.AST, masks: dict[str, bool]) -> Iterator[Finding]:
    """``(x * mask).mean()``: what was masked out still counts in the denominator."""
    masked: dict[str, str] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            mask = _mask_of(node.value, masks)
            if mask is not None:
                masked[node.targets[0].id] = mask
    divided = [n for n in ast.walk(scope) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    for node in ast.walk(scope):
        if not isinstance(node, ast.Call) or last_name(node.func) != "mean" or node.keywords:
            continue
        method = isinstance(node.func, ast.Attribute) and not node.args
        value = node.func.value if method else node.args[0] if len(node.args) == 1 else None  # type: ignore[attr-defined]
        if value is None or (not method and ast.unparse(node.func) != "torch.mean"):
            continue
        mask = masked.get(value.id) if isinstance(value, ast.Name) else _mask_of(value, masks)
        if mask is None or any(
            any(n is node for n in ast.walk(d.left)) and "mask" in ast.unparse(d.right)
            for d in divided
        ):
            continue
        text = ast.unparse(value)
        text = text if isinstance(value, ast.Name) else f"({text})"
        fix = Fix((Edit(span(node), f"({text}.sum() / {mask}.sum())"),), "unsafe",
                  Text("Divide by what the mask selects", "除以掩码选中的个数"))  # fmt: skip
        message = OWN[MEAN_OVER_ALL].format(mask=mask)
        yield Finding(MEAN_OVER_ALL, Severity.WARNING, span(node), message, fix)


def _unshifted(scope: ast.AST, masks: dict[str, bool]) -> Iterator[Finding]:
    """Logits without their last position beside a mask of labels without its last one."""
    cut = [n for n in ast.walk(scope) if isinstance(n, ast.Subscript) and _cut_of(n)]
    logits = [n for n in cut if _cut_of(n) == ":-1" and "logit" in ast.unparse(n.value).lower()]
    if not logits:
        return
    for node in cut:
        named = isinstance(node.value, ast.Name) and masks.get(node.value.id)
        if named and _cut_of(node) == ":-1":
            key = node.slice.elts[1] if isinstance(node.slice, ast.Tuple) else node.slice
            fix = Fix((Edit(span(key), "1:"),), "unsafe", Text("Shift the mask", "掩码也移位"))
            message = OWN[UNSHIFTED_MASK].format(mask=ast.unparse(node))
            yield Finding(UNSHIFTED_MASK, Severity.WARNING, span(node), message, fix)


def _cut_of(node: ast.Subscript) -> str:
    """``":-1"`` or ``"1:"`` of ``x[:, :-1]``, ``x[..., 1:, :]``; else nothing."""
    key = node.slice
    if not isinstance(key, ast.Tuple) or len(key.elts) < 2:
        return ""
    first = ast.unparse(key.elts[0])
    shown = ast.unparse(key.elts[1])
    return shown if first in {":", "..."} and shown in {":-1", "1:"} else ""
