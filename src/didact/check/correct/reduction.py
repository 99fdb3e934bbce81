"""Corrections of reduction, axis and the number of teachers."""

from __future__ import annotations

import ast

from didact.check.correct.site import Site, argument, span
from didact.check.findings.finding import Edit, Span


def batchmean(site: Site) -> list[Edit]:
    """``reduction="batchmean"`` in the call or the constructor."""
    use = site.use
    call = (use.criterion or use.node) if use is not None else None
    if not isinstance(call, ast.Call):
        return []
    old = {"reduction", "size_average", "reduce"}
    present = [k for k in call.keywords if k.arg in old]
    if present:
        first = present[0]
        edits = [Edit(_keyword_span(first), 'reduction="batchmean"')]
        return edits if len(present) == 1 else []
    end = _closing(call)
    comma = ", " if call.args or call.keywords else ""
    return [Edit(end, f'{comma}reduction="batchmean"')]


def _keyword_span(keyword: ast.keyword) -> Span:
    return span(keyword)


def _closing(call: ast.Call) -> Span:
    """The empty place before the closing bracket of a call."""
    last = [*call.args, *(k.value for k in call.keywords)]
    where = (
        span(max(last, key=lambda n: (n.end_lineno or 0, n.end_col_offset or 0))) if last else None
    )
    if where is not None:
        return Span(where.end_line, where.end_column, where.end_line, where.end_column)
    whole = span(call)
    return Span(whole.end_line, whole.end_column - 1, whole.end_line, whole.end_column - 1)


def sum_over_classes(site: Site) -> list[Edit]:
    """``.mean()`` over classes as ``.sum(dim).mean()``."""
    node = site.use.node if site.use is not None else site.node
    for inner in [*ast.walk(node), *_around(site, node)] if node is not None else ():
        if not isinstance(inner, ast.Call) or not isinstance(inner.func, ast.Attribute):
            continue
        if inner.func.attr != "mean":
            continue
        whole = isinstance(inner.func.value, ast.Name) and inner.func.value.id == "torch"
        given = inner.args[1:] if whole else inner.args
        if given or inner.keywords:  # over the classes alone: the mean of samples comes behind
            return [Edit(span(inner.func), f"{_closed(site, inner.func.value)}.sum")]
        if whole and inner.args:
            return [site.replace(inner.args[0], f"{_closed(site, inner.args[0])}.sum({site.dim})")]
        return [site.replace(inner, f"{_closed(site, inner.func.value)}.sum({site.dim}).mean()")]
    return []


def _closed(site: Site, node: ast.expr) -> str:
    """The text of a node that a method can stand behind."""
    simple = isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    return site.text(node) if simple else f"({site.text(node)})"


def _around(site: Site, node: ast.AST) -> list[ast.AST]:
    """What stands around a term in its statement, and the reductions of the name it is kept by."""
    found: list[ast.AST] = []
    around = site.analysis.parent_of(node)
    while isinstance(around, ast.expr):
        found.append(around)
        around = site.analysis.parent_of(around)
    if not isinstance(around, ast.Assign) or not isinstance(around.targets[0], ast.Name):
        return found
    name = around.targets[0].id
    for call in ast.walk(site.analysis.tree):
        if not isinstance(call, ast.Call) or call.lineno <= around.lineno:
            continue
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        reads = [owner, *call.args[:1]]
        if any(isinstance(n, ast.Name) and n.id == name for n in reads):
            found.append(call)
    return found


def class_axis(site: Site) -> list[Edit]:
    """Normalise over the class dimension, the last."""
    node = site.node
    if not isinstance(node, ast.Call):
        return []
    for keyword in node.keywords:
        if keyword.arg in {"dim", "axis"}:
            return [site.replace(keyword.value, "-1")]
    method = isinstance(node.func, ast.Attribute) and argument(node) is node.func.value
    position = 0 if method else 1
    if len(node.args) > position:
        return [site.replace(node.args[position], "-1")]
    end = _closing(node)
    return [Edit(end, ", dim=-1" if node.args else "dim=-1")]


def mean_over_teachers(site: Site) -> list[Edit]:
    """Divide what a loop over the teachers adds up by their number."""
    target = site.use.node if site.use is not None else site.node
    if target is None:
        return []
    node: ast.AST | None = target
    while node is not None and not isinstance(node, ast.For):
        node = site.analysis.parent_of(node)
    statement = site.analysis.statement_of(target)
    if not isinstance(node, ast.For) or not isinstance(statement, ast.AugAssign | ast.Assign):
        return []
    added = statement.value
    if isinstance(statement, ast.Assign):  # total = total + ...
        summed = isinstance(added, ast.BinOp) and isinstance(added.op, ast.Add)
        if not summed or site.text(added.left) != site.text(statement.targets[0]):  # type: ignore[attr-defined]
            return []
        added = added.right  # type: ignore[attr-defined]
    number = _number_of(site, node.iter)
    value = added
    text = site.text(value)
    simple = isinstance(value, ast.Call | ast.Name) or (
        isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult)
    )
    return [site.replace(value, f"{text if simple else f'({text})'} / {number}")]


def _number_of(site: Site, over: ast.expr) -> str:
    """How many rounds a loop has: ``n`` of ``range(n)``, ``len(x)`` of ``enumerate(x)``."""
    first = over.args[0] if isinstance(over, ast.Call) and over.args else over
    counted = isinstance(over, ast.Call) and isinstance(over.func, ast.Name)
    if counted and over.func.id == "range":  # type: ignore[attr-defined]
        last = over.args[-1]  # type: ignore[attr-defined]
        simple = isinstance(last, ast.Name | ast.Attribute | ast.Call | ast.Constant)
        return site.text(last) if simple else f"({site.text(last)})"
    wrapped = isinstance(first, ast.Call) and isinstance(first.func, ast.Name) and first.args
    if wrapped and first.func.id in {"zip", "enumerate", "tqdm"}:  # type: ignore[attr-defined]
        return _number_of(site, first)
    return f"len({site.text(first)})"
