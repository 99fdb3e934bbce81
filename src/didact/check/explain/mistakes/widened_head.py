"""A new model with a wider head that is compared whole with the old one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Call, Given, walk
from didact.check.explain.mistakes._classes import is_of_old_model
from didact.check.explain.mistakes._code import scopes_of
from didact.check.explain.mistakes._look import Look, finding
from didact.check.explain.words.actions import WIDENS
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE221": ("HEAD-WIDENED",)}
_COMPARED = frozenset({"kd", "soft_ce", "mse", "mse_sum", "binary_kd"})
_HARD = frozenset({"cross_entropy", "CrossEntropyLoss", "nll_loss", "criterion"})
_BOUND = re.compile(
    r"(^|\.)_?(((n|num|nb)_)(old|known|prev)(_(classes|class|cls))?|(old|known|prev)_(classes|cls))$"
)


def in_formulas(look: Look) -> Iterator[Finding]:
    """Where the code calls a method of the new model that is named after the widening."""
    if not look.is_torch:
        return
    tree = look.judged.tracer.tree
    widened = [
        n for n in nodes_of(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
        and any(hint in n.func.attr.lower() for hint in WIDENS)
    ]  # fmt: skip
    if not widened:
        return
    for term in look.judged.terms:
        student, teacher = term.student, term.teacher
        if term.definition is None or term.definition.key not in _COMPARED:
            continue
        if not isinstance(student, Given) or not isinstance(teacher, Given):
            continue
        if any(
            isinstance(p, Call) and p.name == "index" and p.args[0] in {student, teacher}
            for p in walk(term.body)
        ):
            continue
        calls = [
            c for c in widened
            if isinstance(c.func, ast.Attribute)
            and re.match(re.escape(ast.unparse(c.func.value)) + r"\b", student.text)
        ]  # fmt: skip
        calls = [c for c in calls if not _is_copied_after(tree, c)]
        if calls and is_of_old_model(look, teacher):
            yield from _found(look, student, teacher, calls[0])
            return


def _is_copied_after(tree: ast.Module, call: ast.Call) -> bool:
    """Whether the old model is made of the widened one: ``net.update_fc(n); old = copy(net)``."""
    assert isinstance(call.func, ast.Attribute)
    owner = ast.unparse(call.func.value)
    for scope in scopes_of(tree):
        inside = [n for n in ast.walk(scope) if isinstance(n, ast.Call)]
        if scope is tree or call not in inside:
            continue
        return any(n.lineno > call.lineno and _is_copy_of(n, owner) for n in inside)
    return any(
        n.lineno > call.lineno and _is_copy_of(n, owner)
        for n in nodes_of(tree)
        if isinstance(n, ast.Call)
    )


def _is_copy_of(call: ast.Call, owner: str) -> bool:
    copied = call.args[0] if call.args else getattr(call.func, "value", None)
    return "copy" in last_name(call.func) and copied is not None and ast.unparse(copied) == owner


def _found(look: Look, student: Given, teacher: Given, call: ast.Call) -> Iterator[Finding]:
    values = look.judged.tracer.values
    parents = {c: p for p in nodes_of(look.judged.tracer.tree) for c in ast.iter_child_nodes(p)}
    names = [
        n for n in nodes_of(look.judged.tracer.tree)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and values.get(id(n)) is student
        and not _is_hard(parents.get(n))
    ]  # fmt: skip
    names.sort(key=lambda n: (n.lineno, n.col_offset))
    bounds = sorted(
        {ast.unparse(n) for n in nodes_of(look.judged.tracer.tree)
         if isinstance(n, ast.Name | ast.Attribute) and _BOUND.search(ast.unparse(n))}
    )  # fmt: skip
    if not names:
        return
    bound = bounds[0] if len(bounds) == 1 else None
    label = look.judged.tracer.labels.get(teacher, "")
    bound = bound or (f"{label}.size(1)" if label.isidentifier() else None)
    name = names[0].id
    cut = f"{name}[:, :{bound}]" if bound else f"{name}[:, :n_old]"
    fix = Fix((Edit(span(names[0]), cut),), "unsafe", Text("The old classes", "取旧类"))
    yield finding(
        "KE221", Severity.WARNING, names[0], fix if bound else None,
        call=ast.unparse(call), line=call.lineno, name=name, cut=cut,
    )  # fmt: skip


def _is_hard(parent: ast.AST | None) -> bool:
    return isinstance(parent, ast.Call) and last_name(parent.func) in _HARD
