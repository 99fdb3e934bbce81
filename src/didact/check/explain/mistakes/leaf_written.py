"""Weights of a layer that are written into while gradients are recorded."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._look import finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE222": ("LEAF-WRITTEN",)}
_LAYERS = re.compile(
    r"(^|[._])(fc|head|linear|classifier|logits_layer|output|out|last|proj|conv)\w*$", re.IGNORECASE
)


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """``fc.weight[:n] = old.weight`` and ``fc.weight[n:] *= g`` outside of ``no_grad``."""
    if not any(isinstance(n, ast.Attribute) and n.attr in {"weight", "bias"}
               for n in nodes_of(tree)):  # fmt: skip
        return
    outside = _with_gradient(tree, free=False)
    for statement in outside:
        targets = statement.targets if isinstance(statement, ast.Assign) else [
            statement.target if isinstance(statement, ast.AugAssign) else statement]  # fmt: skip
        for target in targets:
            held = target.value if isinstance(target, ast.Subscript) else None
            if not isinstance(held, ast.Attribute) or held.attr not in {"weight", "bias"}:
                continue
            if not _LAYERS.search(ast.unparse(held.value)):
                continue
            name = ast.unparse(held)
            fix = Fix(
                (Edit(span(held), f"{name}.data"),), "unsafe", Text("The values alone", "只改数值")
            )
            yield finding("KE222", Severity.ERROR, target, fix, name=name)


def _with_gradient(scope: ast.AST, *, free: bool) -> Iterator[ast.stmt]:
    """The statements outside of ``no_grad``."""
    for child in ast.iter_child_nodes(scope):
        inner = free
        if isinstance(child, ast.With):
            inner = free or any("no_grad" in ast.unparse(i) or "inference_mode" in ast.unparse(i)
                                for i in child.items)  # fmt: skip
        if isinstance(child, ast.FunctionDef):
            inner = any("no_grad" in ast.unparse(d) for d in child.decorator_list)
        if isinstance(child, ast.Assign | ast.AugAssign) and not inner:
            yield child
        if isinstance(child, ast.stmt):
            yield from _with_gradient(child, free=inner)
