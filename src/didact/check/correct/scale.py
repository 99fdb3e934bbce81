"""Corrections of temperature, reduction, sign and weight."""

from __future__ import annotations

import ast
import re

from didact.check.correct.site import Site, argument, is_softmax, span
from didact.check.engine.events import LossUse
from didact.check.engine.names import is_temperature
from didact.check.findings.finding import Edit, Span
from didact.check.rules._common import power_of, temperature_of, temperature_symbol, totals_with


def times_t_squared(site: Site) -> list[Edit]:
    """Multiply a soft term by the square of its temperature."""
    use = site.use
    if use is None:
        return []
    temperature = _temperature(site, use)
    if temperature is None:
        return []
    present = _power_present(site, use)
    if present not in {0, 1}:
        return []
    power = f"{temperature} ** 2"
    whole = _reduced(site, use.node)
    for product in [whole, *_products(site)]:
        if (other := _other_square(product, temperature)) is not None:
            return [site.replace(factor, temperature) for factor in other]
    weighted = _t_power_one(site, use, temperature)
    if weighted is not None:
        return [site.replace(weighted, power)]
    power = temperature if present == 1 else power
    text = site.text(whole)
    loose = isinstance(whole, ast.BinOp) and not isinstance(whole.op, ast.Mult | ast.Div)
    return [site.replace(whole, f"({text}) * {power}" if loose else f"{text} * {power}")]


_OF_SCHEDULE = re.compile(r"[Tt]_?(\d|max|min|init|start|base)")
"""The temperature that a schedule begins or ends with."""


def _is_of_schedule(name: str, temperature: str) -> bool:
    last = name.rsplit(".", 1)[-1]
    return name != temperature and (
        is_temperature(last) or _OF_SCHEDULE.fullmatch(last) is not None
    )


def _products(site: Site) -> list[ast.expr]:
    """The whole products of the code around a loss."""
    return [
        node for node in site.analysis.index.of(ast.BinOp)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)
        and not _is_product(site.analysis.parent_of(node))
    ]  # fmt: skip


def _is_product(node: ast.AST | None) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def _other_square(whole: ast.expr, temperature: str) -> list[ast.expr] | None:
    """The factors ``T0`` of a term times ``T0 * T0`` or ``T0 ** 2`` that is softened with ``T``."""
    found: list[ast.expr] = []
    squared = False
    pending = [whole]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            pending += [node.left, node.right]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            squared = ast.unparse(node.right) == "2"
            found += [node.left] if squared else []
        elif isinstance(node, ast.Name | ast.Attribute):
            found.append(node)
    found = [node for node in found if _is_of_schedule(ast.unparse(node), temperature)]
    if len({ast.unparse(node) for node in found}) != 1:
        return None
    return found if len(found) == (1 if squared else 2) else None


_REDUCTIONS = {"sum", "mean", "neg", "squeeze", "float"}


def _reduced(site: Site, node: ast.expr) -> ast.expr:
    """A soft term with the sums, means and the sign around it: a factor stands behind all of it."""
    while True:
        around = site.analysis.parent_of(node)
        if isinstance(around, ast.Attribute) and around.attr in _REDUCTIONS:
            call = site.analysis.parent_of(around)
            if not (isinstance(call, ast.Call) and call.func is around):
                return node
            node = call
        elif isinstance(around, ast.Call) and node in around.args[:1]:
            if not isinstance(around.func, ast.Attribute) or around.func.attr not in _REDUCTIONS:
                return node
            node = around
        elif isinstance(around, ast.UnaryOp) and isinstance(around.op, ast.USub):
            node = around
        elif isinstance(around, ast.BinOp) and isinstance(around.op, ast.Mult | ast.Div):
            if isinstance(around.op, ast.Div) and node is around.right:
                return node
            node = around
        else:
            return node


def _temperature(site: Site, use: LossUse) -> str | None:
    for node in (use.target_node, use.input_node):
        if node is not None and (found := site.scores(node)[1]) is not None:
            return found
    for value in (use.target, use.input):
        if value.temperature is not None and not value.temperature.is_one:
            return value.temperature.text
    return None


def _power_present(site: Site, use: LossUse) -> float:
    """The power of the temperature that the term has in the sums that it ends in."""
    scale = temperature_of(use)
    symbol = temperature_symbol(scale) if scale is not None else None
    if symbol is None:
        return 0
    return max((power_of(term, symbol) for _, term in totals_with(site.analysis, use)), default=0)


def _t_power_one(site: Site, use: LossUse, temperature: str) -> ast.expr | None:
    """The ``T`` of ``kl * T`` in the statement of the loss."""
    statement = site.analysis.statement_of(use.node)
    for node in ast.walk(statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for side in (node.left, node.right):
                if isinstance(side, ast.Name | ast.Attribute) and ast.unparse(side) == temperature:
                    return side
    return None


def temperature_on_both(site: Site) -> list[Edit]:
    """Divide the other side by the same temperature."""
    use = site.use
    if use is None or use.input_node is None or use.target_node is None:
        return []
    sides = (use.input_node, use.target_node)
    found = [site.scores(side)[1] for side in sides]
    temperature = found[0] or found[1]
    if temperature is None:
        return []
    edits = []
    for side, own in zip(sides, found, strict=True):
        if own == temperature:
            continue
        made = site.producer(side)
        inner = argument(made) if made is not None else None
        if inner is None:
            continue
        edits.append(site.replace(inner, f"{site.scores(side)[0]} / {temperature}"))
    return edits


def temperature_used(site: Site) -> list[Edit]:
    """Divide both sides by the temperature that the function is given, and multiply by T²."""
    use = site.use
    if use is None or use.input_node is None or use.target_node is None:
        return []
    given = getattr(use.scope.node, "args", None)
    names = [argument.arg for argument in (*given.args, *given.kwonlyargs)] if given else []
    wanted = [name for name in names if is_temperature(name)]
    if len(wanted) != 1:
        return []
    edits = []
    for side in (use.input_node, use.target_node):
        made = site.producer(side)
        inner = argument(made) if made is not None else None
        if inner is None:
            return []
        edits.append(site.replace(inner, f"{site.scores(side)[0]} / {wanted[0]}"))
    end = span(use.node)
    after = Span(end.end_line, end.end_column, end.end_line, end.end_column)
    return [*edits, Edit(after, f" * {wanted[0]}**2")]


def temperature_once(site: Site) -> list[Edit]:
    """``x / T / T`` as ``x / T``."""
    for node in ast.walk(site.node) if site.node is not None else ():
        if isinstance(node, ast.Call) and is_softmax(node):
            inner = argument(node)
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Div):
                left = inner.left
                if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Div):
                    return [site.replace(inner, site.text(left))]
                scores, own = site.scores(left)
                divisor = own or site.text(inner.right)
                return [site.replace(inner, f"{scores} / {divisor}")]
    return []


def temperature_divides(site: Site) -> list[Edit]:
    """``x * T`` inside a softmax as ``x / T``."""
    for node in ast.walk(site.node) if site.node is not None else ():
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for side, other in ((node.right, node.left), (node.left, node.right)):
                if is_temperature(ast.unparse(side)):
                    return [site.replace(node, f"{site.text(other)} / {site.text(side)}")]
    return []


def minus_sign(site: Site) -> list[Edit]:
    """A minus before a sum of p log q."""
    node = site.use.node if site.use is not None else site.node
    if node is None:
        return []
    statement = site.analysis.statement_of(node)
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.expr):
        return []
    simple = isinstance(value, ast.Call | ast.Name)
    text = site.text(value)
    return [site.replace(value, f"-{text}" if simple else f"-({text})")]


def without_patch(site: Site) -> list[Edit]:
    """Take ``abs`` or ``clamp`` off a KL term."""
    node = site.node
    if not isinstance(node, ast.Call):
        return []
    inner = node.args[0] if ast.unparse(node.func) in {"abs", "torch.abs", "torch.clamp"} else None
    if inner is None and isinstance(node.func, ast.Attribute):
        inner = node.func.value
    return [site.replace(node, site.text(inner))] if inner is not None else []
