"""A mask that was not shifted with its labels."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._masked import masked_scopes
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE130": ("MASK-UNSHIFTED",)}

UNSHIFTED_MASK = "KE130"


def _unshifted(scope: ast.AST, masks: dict[str, bool]) -> Iterator[Finding]:
    """Logits without their last position beside a mask of labels without its last one."""
    cut = [n for n in nodes_of(scope) if isinstance(n, ast.Subscript) and _cut_of(n)]
    logits = [n for n in cut if _cut_of(n) == ":-1" and "logit" in ast.unparse(n.value).lower()]
    if not logits:
        return
    for node in cut:
        named = isinstance(node.value, ast.Name) and masks.get(node.value.id)
        if named and _cut_of(node) == ":-1":
            key = node.slice.elts[1] if isinstance(node.slice, ast.Tuple) else node.slice
            fix = Fix((Edit(span(key), "1:"),), "unsafe", Text("Shift the mask", "掩码也移位"))
            message = OWN[UNSHIFTED_MASK].format(mask=ast.unparse(node))
            yield Finding(UNSHIFTED_MASK, Severity.WARNING, span(node), message, fix)


def _cut_of(node: ast.Subscript) -> str:
    """``":-1"`` or ``"1:"`` of ``x[:, :-1]``, ``x[..., 1:, :]``; else nothing."""
    key = node.slice
    if not isinstance(key, ast.Tuple) or len(key.elts) < 2:
        return ""
    first = ast.unparse(key.elts[0])
    shown = ast.unparse(key.elts[1])
    return shown if first in {":", "..."} and shown in {":-1", "1:"} else ""


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Function by function."""
    for scope, masks in masked_scopes(tree):
        yield from _unshifted(scope, masks)
