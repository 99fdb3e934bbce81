"""Losses that are kept with their graphs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.causes import kept_graphs
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE128": ("GRAPHS-KEPT",)}

KEPT_GRAPH = "KE128"


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


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Where something goes back."""
    if any(isinstance(n, ast.Call) and last_name(n.func) == "backward" for n in nodes_of(tree)):
        yield from _kept(tree)
