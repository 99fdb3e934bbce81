"""A sum for the log that outlives its epoch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import reads, sets, target_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

NEVER_RESET = "KE153"
CODES = {NEVER_RESET: ("SUM-NEVER-RESET",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """A name that is 0 before the epochs, grows in the batches, and is divided after each epoch."""
    for epochs in nodes_of(tree):
        if not isinstance(epochs, ast.For):
            continue
        for batches in epochs.body:
            if isinstance(batches, ast.For):
                yield from _never_reset(tree, epochs, batches)


def _never_reset(tree: ast.Module, epochs: ast.For, batches: ast.For) -> Iterator[Finding]:
    grown = {
        s.target.id for s in nodes_of(batches)
        if isinstance(s, ast.AugAssign) and isinstance(s.op, ast.Add)
        and isinstance(s.target, ast.Name)
    }  # fmt: skip
    behind = epochs.body[epochs.body.index(batches) + 1 :]
    for name in sorted(grown):
        starts = [n for n in nodes_of(tree) if target_of(n) == name]
        if len(starts) != 1 or starts[0].lineno >= epochs.lineno:  # type: ignore[attr-defined]
            continue
        start = starts[0]
        assert isinstance(start, ast.Assign | ast.AnnAssign)
        if not isinstance(start.value, ast.Constant) or start.value.value != 0:
            continue
        mean = next((n for s in behind for n in nodes_of(s) if _is_mean(n, name)), None)
        if mean is None or any(sets(s, name) for s in behind):
            continue
        first = epochs.body[0]
        place = Span(first.lineno, first.col_offset, first.lineno, first.col_offset)
        edit = Edit(place, f"{ast.unparse(start)}\n{' ' * first.col_offset}")
        fix = Fix((edit,), "unsafe", Text("Start anew each epoch", "每个 epoch 重新开始"))
        message = OWN[NEVER_RESET].format(
            name=name, code=ast.unparse(mean), start=ast.unparse(start), line=start.lineno
        )
        yield Finding(NEVER_RESET, Severity.WARNING, span(mean), message, fix)


def _is_mean(node: ast.AST, name: str) -> bool:
    """``total / len(loader)``, and not ``total / (steps so far)``."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and isinstance(node.left, ast.Name | ast.Call | ast.Attribute)
        and reads(node.left, name)
        and isinstance(node.right, ast.Call)
        and ast.unparse(node.right.func) == "len"
    )
