"""``compute_loss`` and ``forward``: what they give back."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.remedies import outputs_of, returned_at_the_end, without_return
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

NOTHING = "KE160"
OUTPUTS = "KE161"
CODES = {NOTHING: ("NO-RETURN",), OUTPUTS: ("OUTPUTS-NOT-RETURNED",)}


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Functions that return nothing, and those that return less than they are asked for."""
    for function in without_return(tree):
        last = function.body[-1]
        fix = Fix(tuple(returned_at_the_end(function)), "unsafe", Text("Return it", "返回它"))
        code = "KE160-TRAINER" if function.name == "compute_loss" else NOTHING
        message = OWN[code].format(name=function.name, line=function.lineno)
        yield Finding(NOTHING, Severity.ERROR, span(last), message, fix)
    for node in nodes_of(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "compute_loss":
            yield from _alone(node)


def _alone(function: ast.FunctionDef) -> Iterator[Finding]:
    """``return loss`` in a ``compute_loss`` that never reads ``return_outputs``."""
    arguments = {a.arg for a in [*function.args.args, *function.args.kwonlyargs]}
    read = {n.id for n in nodes_of(function) if isinstance(n, ast.Name)}
    gives = [n for n in nodes_of(function) if isinstance(n, ast.Return)]
    if "return_outputs" not in arguments - read or len(gives) != 1 or gives[0].value is None:
        return
    if isinstance(gives[0].value, ast.Tuple):
        return
    outputs = outputs_of(function)
    fix = None
    named = [] if outputs else _named(function)
    outputs = "outputs" if named else outputs
    if outputs:
        loss = ast.unparse(gives[0].value)
        text = f"return ({loss}, {outputs}) if return_outputs else {loss}"
        if isinstance(gives[0].value, ast.BinOp):
            indent = " " * gives[0].col_offset
            text = f"loss = {loss}\n{indent}return (loss, {outputs}) if return_outputs else loss"
        fix = Fix((*named, Edit(span(gives[0]), text)), "unsafe", Text("Return both", "一并返回"))
    yield Finding(OUTPUTS, Severity.WARNING, span(gives[0]), OWN[OUTPUTS], fix)


def _named(function: ast.FunctionDef) -> list[Edit]:
    """``outputs = model(**inputs)`` where only its logits have a name."""
    if any(isinstance(n, ast.Name) and n.id == "outputs" for n in nodes_of(function)):
        return []
    for statement in function.body:
        value = statement.value if isinstance(statement, ast.Assign) else None
        call = value.value if isinstance(value, ast.Attribute | ast.Subscript) else None
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {"model", "self.model"}:
            place = Span(statement.lineno, statement.col_offset,
                         statement.lineno, statement.col_offset)  # fmt: skip
            indent = " " * statement.col_offset
            made = Edit(place, f"outputs = {ast.unparse(call)}\n{indent}")
            return [made, Edit(span(call), "outputs")]
    return []
