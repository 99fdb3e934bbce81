"""A sum of losses that outlives its step."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE142": ("SUM-OUTLIVES",)}


def _outliving_sums(tree: ast.Module) -> Iterator[Finding]:
    """``total += loss`` and ``total.backward()`` in a loop that does not start it anew."""
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For | ast.While):
            continue
        inner = [n for n in nodes_of(loop) if isinstance(n, ast.For | ast.While) and n is not loop]
        begun = {ast.unparse(t) for s in nodes_of(loop) if isinstance(s, ast.Assign)
                 for t in s.targets}  # fmt: skip
        back = {
            ast.unparse(c.func.value) for c in nodes_of(loop)
            if isinstance(c, ast.Call) and isinstance(c.func, ast.Attribute)
            and c.func.attr == "backward"
        }  # fmt: skip
        for node in loop.body:
            name = ast.unparse(node.target) if isinstance(node, ast.AugAssign) else ""
            if not name or name in begun or name not in back or inner:
                continue
            assert isinstance(node, ast.AugAssign)
            if not isinstance(node.op, ast.Add):
                continue
            edit = Edit(span(node), f"{name} = {ast.unparse(node.value)}")
            fix = Fix((edit,), "unsafe", Text("Start anew each step", "每一步重新开始"))
            yield Finding("KE142", Severity.ERROR, span(node), OWN["KE142"].format(name=name), fix)


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Loop by loop."""
    yield from _outliving_sums(tree)
