"""Outputs that go into a buffer with their graph."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_model, words
from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import blocks_of, scopes_of, target_of
from didact.check.explain.mistakes._look import finding
from didact.check.findings.finding import Edit, Finding, Fix, Severity

CODES = {"KE223": ("STORED-GRAPH",)}
_BUFFERS = frozenset({"buffer", "buf", "memory", "mem", "replay", "reservoir"})
_STORES = frozenset({"add", "add_data", "put", "push", "store", "append", "extend", "insert"})


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """``buffer.add(x, y, out)`` with the output of a model that is trained."""
    stores = [n for n in nodes_of(tree) if isinstance(n, ast.Call) and _stores(n)]
    if not stores:
        return
    for scope in scopes_of(tree):
        inside = [n for block in blocks_of(scope) for s in block for n in ast.walk(s)
                  if not isinstance(s, ast.FunctionDef | ast.ClassDef)]  # fmt: skip
        made = {t: s for s in inside if isinstance(s, ast.Assign) and (t := target_of(s))}
        quiet = {
            id(n) for w in inside if isinstance(w, ast.With)
            and "no_grad" in ast.unparse(w.items[0]) for n in ast.walk(w)
        }  # fmt: skip
        quiet |= {
            id(n) for n in inside if isinstance(scope, ast.FunctionDef)
            and any("no_grad" in ast.unparse(d) for d in scope.decorator_list)
        }  # fmt: skip
        for call in stores:
            if call not in inside or id(call) in quiet:
                continue
            stores = [c for c in stores if c is not call]
            for value in [*call.args, *(k.value for k in call.keywords)]:
                if isinstance(value, ast.Name) and value.id in made:
                    source = made[value.id]
                    if id(source) not in quiet and _is_output(source.value):
                        yield _found(call, value)


def _stores(call: ast.Call) -> bool:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return (
        owner is not None
        and last_name(call.func) in _STORES
        and bool(set(words(last_name(owner))) & _BUFFERS)
    )


def _is_output(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and is_model(last_name(value.func)) and bool(value.args)


def _found(call: ast.Call, value: ast.Name) -> Finding:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    fix = Fix(
        (Edit(span(value), f"{value.id}.detach()"),),
        "unsafe",
        Text("The numbers alone", "只存数值"),
    )
    return finding("KE223", Severity.ERROR, value, fix, name=value.id, buffer=ast.unparse(owner))
