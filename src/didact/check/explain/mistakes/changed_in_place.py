"""A tensor changed in place that an earlier line has put into the graph."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import blocks_of, scopes_of, target_of
from didact.check.explain.mistakes._look import Look
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

IN_PLACE = "KE169"
CODES = {IN_PLACE: ("CHANGED-IN-PLACE",)}
_ERROR = re.compile(r"modified by an in-?place operation", re.IGNORECASE)
_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where the error message stands beside the code."""
    if not look.is_torch or not _ERROR.search(look.words):
        return
    for scope in scopes_of(look.judged.tracer.tree):
        for block in blocks_of(scope):
            for at, statement in enumerate(block):
                sign = _SIGNS.get(type(getattr(statement, "op", None)))  # type: ignore[arg-type]
                if isinstance(statement, ast.AugAssign) and sign is not None:
                    yield from _changed(statement, sign, block[:at])


def _changed(statement: ast.AugAssign, sign: str, before: list[ast.stmt]) -> Iterator[Finding]:
    target = statement.target
    root = target.value if isinstance(target, ast.Subscript) else target
    if not isinstance(root, ast.Name) or is_loss(root.id):
        return
    users = [s for s in before if target_of(s) not in {"", root.id} and _reads(s, root.id)]
    made = [s for s in before if target_of(s) == root.id]
    if not users or not made or not isinstance(made[-1].value, ast.Call):  # type: ignore[attr-defined]
        return
    fix = None
    if isinstance(target, ast.Name):
        right = ast.unparse(statement.value)
        right = f"({right})" if isinstance(statement.value, ast.BinOp) else right
        text = f"{root.id} = {root.id} {sign} {right}"
        fix = Fix((Edit(span(statement), text),), "unsafe", Text("Not in place", "不要原地修改"))
    shown = f"{root.id} = {root.id} {sign} ..."
    message = OWN[IN_PLACE].format(name=root.id, line=users[-1].lineno, right=shown)
    yield Finding(IN_PLACE, Severity.ERROR, span(statement), message, fix)


def _reads(statement: ast.stmt, name: str) -> bool:
    """Whether a statement calls a model or function with a tensor, its graph kept."""
    return any(
        isinstance(n, ast.Call) and any(isinstance(a, ast.Name) and a.id == name for a in n.args)
        for n in nodes_of(statement)
    )
