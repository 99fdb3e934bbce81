"""``compute_loss`` without the argument that ``Trainer`` passes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

CODES = {"KE125": ("TRAINER-SIGNATURE",)}


SIGNATURE = "KE125"
_EXTRA = "num_items_in_batch"


def _trainer(node: ast.ClassDef) -> Iterator[Finding]:
    """``compute_loss`` without the argument that ``Trainer`` passes since transformers 4.46."""
    if not any(last_name(base).endswith("Trainer") for base in node.bases):
        return
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or method.name != "compute_loss":
            continue
        arguments = method.args
        names = {a.arg for a in [*arguments.args, *arguments.kwonlyargs]}
        if _EXTRA in names or arguments.kwarg is not None or not arguments.args:
            continue
        end = span(arguments.defaults[-1] if arguments.defaults else arguments.args[-1])
        place = Span(end.end_line, end.end_column, end.end_line, end.end_column)
        fix = Fix((Edit(place, f", {_EXTRA}=None"),), "unsafe", Text("Accept it", "加上该参数"))
        where = span(arguments.args[-1])
        yield Finding(SIGNATURE, Severity.WARNING, where, OWN[SIGNATURE], fix)


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Class by class."""
    for node in nodes_of(tree):
        if isinstance(node, ast.ClassDef):
            yield from _trainer(node)
