"""What a tree shows before it is followed."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence as Items
from contextlib import suppress

from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.trace.objects import Function


def shown_calls(tree: ast.Module) -> set[int]:
    """The calls that stand alone, are printed or are kept under a name, outside functions."""
    found: set[int] = set()
    for statement in tree.body:
        value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        if isinstance(value, ast.Call):
            found |= {id(value), *(id(a) for a in value.args)}
    return found


def printed_calls(tree: ast.Module) -> set[int]:
    """The calls whose result is only printed, outside functions."""
    return {
        id(inner)
        for statement in tree.body
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        if isinstance(statement.value.func, ast.Name) and statement.value.func.id == "print"
        for inner in nodes_of(statement.value)
        if isinstance(inner, ast.Call) and inner is not statement.value
    }


def called_by_name(tree: ast.Module) -> set[int]:
    """The functions that other functions of the file call: they are parts, no losses themselves."""
    inside: dict[str, set[int]] = {}
    functions = [n for n in nodes_of(tree) if isinstance(n, Function)]
    for function in [*functions, tree]:
        for node in nodes_of(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                inside.setdefault(name, set()).add(id(function))
    return {id(f) for f in functions if inside.get(f.name, set()) - {id(f), id(tree)}}


def compile_keywords(tree: ast.Module) -> dict[str, ast.expr]:
    """What Keras' ``compile`` is given: attributes of the model by these names."""
    found: dict[str, ast.expr] = {}
    for node in nodes_of(tree):
        method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if method and node.func.attr == "compile":  # type: ignore[attr-defined]
            found |= {k.arg: k.value for k in node.keywords if k.arg}  # type: ignore[attr-defined]
    return found


def trains(loop: ast.For | ast.AsyncFor) -> bool:
    """Whether each round of a loop goes back: rounds of training, no addends of a loss."""
    return any(
        isinstance(n, ast.Attribute) and n.attr in {"backward", "manual_backward", "gradient"}
        for n in nodes_of(loop)
    )


def is_tape(function: ast.expr) -> bool:
    """Whether a call is TensorFlow's way to go backward: ``tape.gradient(loss, variables)``."""
    if not isinstance(function, ast.Attribute) or function.attr != "gradient":
        return False
    return "tape" in ast.unparse(function.value).lower()


def stored_names(body: Items[ast.stmt]) -> list[str]:
    """The names that some statements assign."""
    return list(dict.fromkeys(
        n.id for s in body for n in nodes_of(s)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ))  # fmt: skip


def appended_names(body: Items[ast.stmt]) -> list[str]:
    """The lists that some statements append to."""
    return list(dict.fromkeys(
        n.func.value.id for s in body for n in nodes_of(s)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)
        and n.func.attr == "append" and isinstance(n.func.value, ast.Name)
    ))  # fmt: skip


def written_names(body: Items[ast.stmt]) -> list[str]:
    """The names of which some statements write entries: ``u`` of ``u[i, j] = v``."""
    return list(dict.fromkeys(
        n.value.id for s in body for n in nodes_of(s)
        if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store)
        and isinstance(n.value, ast.Name)
    ))  # fmt: skip


def sums_up(loop: ast.For | ast.AsyncFor) -> bool:
    """Whether each round adds to a number: ``total += x``, ``total = total + x``."""
    for node in nodes_of(loop):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            return True
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            value = node.value
            own = isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add)
            name = node.targets[0].id
            if own and any(isinstance(n, ast.Name) and n.id == name for n in nodes_of(value)):
                return True
    return False


def without_continue(body: Items[ast.stmt]) -> list[ast.stmt]:
    """``if c: continue`` as a condition on what follows."""
    for number, statement in enumerate(body):
        skips = isinstance(statement, ast.If) and not statement.orelse
        if not skips or not isinstance(statement.body[-1], ast.Continue):  # type: ignore[attr-defined]
            continue
        rest = without_continue(body[number + 1 :])
        if len(statement.body) > 1 or not rest:  # type: ignore[attr-defined]
            return [*body]
        test = _negated(statement.test)  # type: ignore[attr-defined]
        then = ast.copy_location(ast.If(test=test, body=rest, orelse=[]), statement)
        return [*body[:number], then]
    return [*body]


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.NotIn: ast.In, ast.In: ast.NotIn, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt,
}  # fmt: skip


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        op = _OPPOSITE[type(test.ops[0])]()
        return ast.copy_location(ast.Compare(test.left, [op], test.comparators), test)
    return ast.copy_location(ast.UnaryOp(ast.Not(), test), test)


def is_method(node: Function) -> bool:
    """Whether a function's first argument is ``self``."""
    return [a.arg for a in [*node.args.posonlyargs, *node.args.args]][:1] == ["self"]


def method_of(node: ast.ClassDef, name: str) -> Function | None:
    """A class's method by name, or None."""
    return next((m for m in node.body if isinstance(m, Function) and m.name == name), None)


_TOLD = re.compile(
    r"\b(?P<name>\w+)\s*=\s*(?P<value>(?:(?:torch\.)?nn|(?:tf\.)?keras\.losses|paddle\.nn)"
    r"\.\w+\([\w=\"', .]*\))"
)
"""A loss object that the words around the code name."""


def told_losses(words: str) -> dict[str, ast.expr]:
    """The loss objects that the words around the code name, by attribute."""
    found: dict[str, ast.expr] = {}
    for match in _TOLD.finditer(words):
        with suppress(SyntaxError, ValueError):
            found[match["name"]] = ast.parse(match["value"], mode="eval").body
    return found
