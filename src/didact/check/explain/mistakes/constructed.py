"""Tensors given to the constructor of a loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE134": ("CONSTRUCTOR",)}
_CLASSES = frozenset(
    {
        "KLDivLoss", "MSELoss", "L1Loss", "SmoothL1Loss", "CrossEntropyLoss", "BCELoss",
        "BCEWithLogitsLoss", "NLLLoss", "CosineEmbeddingLoss",
    }
)  # fmt: skip

CONSTRUCTED = "KE134"


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


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Call by call."""
    yield from _constructed(tree)
