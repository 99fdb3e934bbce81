"""Corrections of training loops: sums, moving averages, modes, what an optimiser is given."""

from __future__ import annotations

import ast

from didact.check.correct.site import Site, span
from didact.check.engine.names import dotted
from didact.check.findings.finding import Edit, Span
from didact.check.rules._averages import updates

_LOOPS = (ast.For, ast.While)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def accumulated(site: Site) -> list[Edit]:
    """``total = f(x)`` in a loop as ``total = total + f(x)``."""
    node = site.node
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return []
    text = site.text(node.value)
    loose = isinstance(node.value, ast.IfExp | ast.Lambda | ast.BoolOp | ast.Compare)
    return [site.replace(node.value, f"{node.targets[0].id} + {f'({text})' if loose else text}")]


def exchanged_weights(site: Site) -> list[Edit]:
    """``old = (1 - decay) * old + decay * new`` with the weights the other way round."""
    for update in updates(site.analysis):
        if site.node in (update.node, getattr(update.node, "value", None)):
            old, new = update.old_weight, update.new_weight
            return [_in_place_of(site, old, new), _in_place_of(site, new, old)]
    return []


def _in_place_of(site: Site, old: ast.expr, new: ast.expr) -> Edit:
    """A weight in another's place, the other's brackets taken along where it needs none."""
    where = span(old)
    line = site.analysis.source.split("\n")[where.line - 1].encode()
    around = line[where.column - 1 : where.column] + line[where.end_column : where.end_column + 1]
    before = line[: where.column - 1].rstrip()[-1:]
    called = before.isalnum() or before in {b"_", b")", b"]"}
    simple = isinstance(new, ast.Name | ast.Attribute | ast.Constant)
    if around == b"()" and simple and not called and where.line == where.end_line:
        wider = Span(where.line, where.column - 1, where.end_line, where.end_column + 1)
        return Edit(wider, site.text(new))
    return site.replace(old, site.text(new))


def back_to_training(site: Site) -> list[Edit]:
    """``model.train()`` at the start of each round of the outermost loop around ``eval()``."""
    call = site.node
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return []
    loop, around = None, site.analysis.parent_of(call)
    while around is not None and not isinstance(around, _FUNCTIONS):
        loop = around if isinstance(around, _LOOPS) else loop
        around = site.analysis.parent_of(around)
    if loop is None or loop.body[0].lineno == loop.lineno:
        return []
    line, column = loop.body[0].lineno, loop.body[0].col_offset
    text = f"{site.text(call.func.value)}.train()\n{' ' * column}"
    return [Edit(Span(line, column, line, column), text)]


def optimised_too(site: Site) -> list[Edit]:
    """``SGD(model.parameters())`` as one that is given the parameters of a layer as well."""
    layer = site.node
    if not isinstance(layer, ast.Assign) or not isinstance(layer.targets[0], ast.Name):
        return []
    made = [
        call
        for call in site.analysis.index.of(ast.Call)
        if "optim." in dotted(call.func) or any(k.arg == "lr" for k in call.keywords)
        if "lr_scheduler" not in dotted(call.func)
    ]
    first = made[0].args[0] if len(made) == 1 and made[0].args else None
    plain = isinstance(first, ast.Call) and isinstance(first.func, ast.Attribute)
    if first is None or not plain or made[0].lineno < layer.lineno:
        return []
    if first.func.attr != "parameters":  # type: ignore[attr-defined]
        return []
    added = f"list({layer.targets[0].id}.parameters())"
    return [site.replace(first, f"list({site.text(first)}) + {added}")]
