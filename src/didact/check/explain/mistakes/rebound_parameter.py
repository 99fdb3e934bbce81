"""A moving average that is given to the loop's own name and reaches no model."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import reads
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

REBOUND = "KE201"
CODES = {REBOUND: ("PARAMETER-REBOUND",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """``for p, q in zip(a.parameters(), b.parameters()): p = m * p + (1 - m) * q``."""
    for loop in nodes_of(tree):
        if isinstance(loop, ast.For):
            yield from _rebound(loop)


def parameters_of(loop: ast.For) -> dict[str, str]:
    """The names that a loop gives to the parameters of models, each with its model."""
    over = loop.iter
    zipped = isinstance(over, ast.Call) and last_name(over.func) == "zip"
    sources = over.args if zipped and isinstance(over, ast.Call) else [over]
    targets = loop.target.elts if zipped and isinstance(loop.target, ast.Tuple) else [loop.target]
    return {
        target.id: ast.unparse(source.func.value)
        for target, source in zip(targets, sources, strict=False)
        if isinstance(target, ast.Name) and isinstance(source, ast.Call)
        and isinstance(source.func, ast.Attribute) and source.func.attr in {"parameters", "buffers"}
    }  # fmt: skip


def _rebound(loop: ast.For) -> Iterator[Finding]:
    models = parameters_of(loop)
    for at, statement in enumerate(loop.body):
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target = statement.targets[0]
        if not isinstance(target, ast.Name) or target.id not in models:
            continue
        mixes = isinstance(statement.value, ast.BinOp) and reads(statement.value, target.id)
        if not mixes or any(reads(later, target.id) for later in loop.body[at + 1 :]):
            continue
        name, model = target.id, models[target.id]
        text = f"{name}.data = {_of_numbers(statement.value, name)}"
        fix = Fix((Edit(span(statement), text),), "unsafe", Text("Write in place", "原地写入"))
        message = OWN[REBOUND].format(name=name, model=model)
        yield Finding(REBOUND, Severity.ERROR, span(statement), message, fix)


def _of_numbers(value: ast.expr, name: str) -> str:
    """An expression with ``name.data`` for ``name``."""

    class Data(ast.NodeTransformer):
        def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
            return node if node.attr in {"data", "detach"} else self.generic_visit(node)

        def visit_Name(self, node: ast.Name) -> ast.AST:
            return ast.Attribute(node, "data", ast.Load()) if node.id == name else node

    return ast.unparse(Data().visit(ast.parse(ast.unparse(value), mode="eval")))
