"""Gradients that are never cleared."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.mistakes._code import target_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

CODES = {"KE135": ("NO-ZERO-GRAD",)}

UNCLEARED = "KE135"


def _uncleared(tree: ast.Module) -> Iterator[Finding]:
    """A loop that goes back and steps, in code that nowhere clears the gradients."""
    text = text_of(tree)
    if ".grad = None" in text or ("zero_grad" in text and not _of_others(tree)):
        return
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For | ast.While):
            continue
        inner = [n for n in nodes_of(loop) if isinstance(n, ast.For | ast.While) and n is not loop]
        calls = [n for n in nodes_of(loop) if isinstance(n, ast.Call)]
        back = [c for c in calls if last_name(c.func) == "backward"]
        steps = [c for c in calls if last_name(c.func) == "step" and not c.args
                 and not re.search(r"sched|engine", ast.unparse(c.func).lower())]  # fmt: skip
        if back and steps and not any(last_name(c.func) == "backward" for i in inner
                                      for c in nodes_of(i) if isinstance(c, ast.Call)):  # fmt: skip
            owner = ast.unparse(steps[0].func).removesuffix(".step")
            message = OWN[UNCLEARED].format(name=owner)
            fix = _of_this_one(loop, owner)
            yield Finding(UNCLEARED, Severity.ERROR, span(steps[0]), message, fix)
            return


def _in_a_step(tree: ast.Module) -> Iterator[Finding]:
    """A function that goes back and steps, where nothing that is shown clears the gradients."""
    if re.search(r"zero_grad|\.grad = None|accum|engine|closure", text_of(tree)):
        return
    for function in nodes_of(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        expressions = [s for s in function.body if isinstance(s, ast.Expr)]
        back = [s for s in expressions if ast.unparse(s).endswith(".backward()")]
        steps = [s for s in expressions if re.search(r"\bopt\w*\.step\(\)$", ast.unparse(s))]
        if len(back) == 1 and len(steps) == 1:
            owner = ast.unparse(steps[0]).removesuffix(".step()")
            first = back[0]
            place = Span(first.lineno, first.col_offset, first.lineno, first.col_offset)
            same = any(s is not first and s.lineno == first.lineno for s in function.body)
            between = "; " if same else f"\n{' ' * first.col_offset}"
            edit = Edit(place, f"{owner}.zero_grad(){between}")
            fix = Fix((edit,), "unsafe", Text("Clear the gradients", "清零梯度"))
            message = OWN["KE135-STEP"].format(name=owner)
            yield Finding(UNCLEARED, Severity.WARNING, span(steps[0]), message, fix)
            return


def _of_this_one(loop: ast.AST, owner: str) -> Fix | None:
    """The ``zero_grad`` of another optimiser as this one's."""
    for call in nodes_of(loop):
        function = call.func if isinstance(call, ast.Call) else None
        if isinstance(function, ast.Attribute) and function.attr == "zero_grad":
            edit = Edit(span(function.value), owner)
            return Fix((edit,), "unsafe", Text("Clear its gradients", "清零它的梯度"))
    return None


def _of_others(tree: ast.Module) -> bool:
    """Whether ``zero_grad`` is called only on optimisers that never step, and another steps."""
    made = {
        name for n in nodes_of(tree)
        if isinstance(n, ast.stmt) and (name := target_of(n)) and ".parameters()" in ast.unparse(n)
    }  # fmt: skip
    owners: dict[str, set[str]] = {"zero_grad": set(), "step": set()}
    for node in nodes_of(tree):
        function = node.func if isinstance(node, ast.Call) else None
        if isinstance(function, ast.Attribute) and function.attr in owners:
            owners[function.attr].add(ast.unparse(function.value))
    stepping = owners["step"] & made
    return bool(stepping) and owners["zero_grad"] <= made - stepping


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Where something goes back and steps."""
    called = {last_name(n.func) for n in nodes_of(tree) if isinstance(n, ast.Call)}
    if {"backward", "step"} <= called:
        found = list(_uncleared(tree))
        yield from found or _in_a_step(tree)
