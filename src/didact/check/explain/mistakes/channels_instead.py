"""Channel-wise distillation whose softmax runs over the channels."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Node, walk
from didact.check.explain.idioms._match import dim_of, is_call, number
from didact.check.explain.mistakes._look import Look, called, finding, live
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE234": ("OVER-CHANNELS",)}
_CWD = re.compile(
    r"\bcwd\b|cwd_|_cwd|channel[-_ ]?wise|channel ?norm|通道蒸馏|逐通道", re.IGNORECASE
)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where names or words say that it is CWD, and [B, C, H·W] is softened over dim 1."""
    if not look.is_torch or not _is_channel_wise(look):
        return
    found: list[ast.Call] = []
    edits: list[Edit] = []
    for loss in look.judged.losses:
        for part in walk(loss.entry.value):
            if not is_call(part, "softmax", "log_softmax") or dim_of(part) != 1:
                continue
            node = called(look, part, part.name)
            if node is None or not _is_flat(part.args[0]):
                continue
            found.append(node)
            edits += [e for e in [_positions(node)] if e is not None]
    if found:
        first = min(found, key=lambda n: n.lineno)
        whole = tuple(dict.fromkeys(edits))
        fix = Fix(whole, "unsafe", Text("Over the positions", "沿位置"))
        yield finding("KE234", Severity.ERROR, first, fix if whole else None)


def _is_channel_wise(look: Look) -> bool:
    names = [
        n.name for n in nodes_of(look.judged.tracer.tree)
        if isinstance(n, ast.FunctionDef | ast.ClassDef)
    ]  # fmt: skip
    return any(map(_CWD.search, [*names, look.words]))


def _is_flat(node: Node) -> bool:
    """Whether the positions of maps were made one dimension: ``x.view(n, c, -1) / T``."""
    node = live(node)
    while is_call(node, "div"):
        node = live(node.args[0])
    if is_call(node, "view", "reshape") and isinstance(node, Call):
        return len(node.args) == 4 and number(node.args[1]) != -1 and number(node.args[2]) != -1
    return is_call(node, "flatten") and len(node.args) > 1 and number(node.args[1]) == 2


def _positions(node: ast.Call) -> Edit | None:
    given: list[ast.expr] = [k.value for k in node.keywords if k.arg == "dim"]
    given = given or [a for a in node.args if ast.unparse(a) == "1"]
    return Edit(span(given[-1]), "2") if given else None
