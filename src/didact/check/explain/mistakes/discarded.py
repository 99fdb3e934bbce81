"""A statement whose result is thrown away, or that does not call what it names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact._core.i18n import Text
from didact.check.correct.site import span
from didact.check.engine.names import is_model
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.mistakes._code import blocks_of, calls_in, reads, scopes_of
from didact.check.explain.words.findings import OWN
from didact.check.findings.finding import Edit, Finding, Fix, Severity, Span

DISCARDED = "KE151"
CODES = {DISCARDED: ("RESULT-DISCARDED",)}
_METHODS = frozenset(
    {
        "clamp", "softmax", "log_softmax", "sigmoid", "mean", "sum", "view", "reshape", "permute",
        "transpose", "unsqueeze", "squeeze", "pow", "abs", "exp", "flatten", "masked_fill",
    }
)  # fmt: skip
_WITH_NUMBERS = frozenset({"mul", "div", "add", "sub"})
"""Methods that other objects have as well: with a number they are a tensor's."""
_MOVES = frozenset({"to", "cuda", "cpu", "float", "half", "long"})
_ACTIONS = frozenset({"zero_grad", "backward", "step", "eval", "train", "detach"})


def in_code(tree: ast.Module) -> Iterator[Finding]:
    """Statement by statement."""
    samples = {
        n.id for loop in nodes_of(tree) if isinstance(loop, ast.For)
        for n in nodes_of(loop.target) if isinstance(n, ast.Name)
    }  # fmt: skip
    for scope in scopes_of(tree):
        for block in blocks_of(scope):
            for statement in block:
                if isinstance(statement, ast.Expr):
                    yield from _discarded(statement, scope, tree, samples)
                yield from _flag_of_module(statement)


def _discarded(
    statement: ast.Expr, scope: ast.AST, tree: ast.Module, samples: set[str]
) -> Iterator[Finding]:
    value = statement.value
    if isinstance(value, ast.Attribute) and value.attr in _ACTIONS:
        code = ast.unparse(value)
        fix = Fix((Edit(span(value), f"{code}()"),), "unsafe", Text("Call it", "加上括号"))
        yield _found("KE151-NOT-CALLED", value, fix, shown=code)
        return
    if isinstance(value, ast.Compare) and isinstance(value.ops[0], ast.Eq):
        left = value.left
        flag = isinstance(left, ast.Attribute) and left.attr == "requires_grad"
        if flag and len(value.comparators) == 1:
            text = f"{ast.unparse(left)} = {ast.unparse(value.comparators[0])}"
            fix = Fix((Edit(span(value), text),), "unsafe", Text("Assign it", "改成赋值"))
            yield _found("KE151-COMPARED", value, fix, shown=text)
        return
    name = _changed_name(value, samples)
    if name and _matters(statement, name, scope):
        code = f"{name} = {ast.unparse(value)}"
        fix = _kept(statement, name, code, tree)
        yield _found(DISCARDED, value, fix, name=name, shown=code)


def _flag_of_module(statement: ast.stmt) -> Iterator[Finding]:
    """``teacher.requires_grad = False``: a module has no such flag."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    if not isinstance(target, ast.Attribute) or target.attr != "requires_grad":
        return
    name = ast.unparse(target.value)
    off = isinstance(statement.value, ast.Constant) and statement.value.value is False  # type: ignore[attr-defined]
    if off and is_model(name) and isinstance(target.value, ast.Name):
        text = f"{name}.requires_grad_(False)"
        fix = Fix((Edit(span(statement), text),), "unsafe", Text("Freeze them", "冻结参数"))
        message = OWN["KE151-MODULE"].format(name=name, shown=text)
        yield Finding(DISCARDED, Severity.WARNING, span(statement), message, fix)


def _found(code: str, node: ast.AST, fix: Fix, **values: object) -> Finding:
    return Finding(DISCARDED, Severity.ERROR, span(node), OWN[code].format(**values), fix)


def _changed_name(value: ast.expr, samples: set[str]) -> str:
    """The name that a statement was meant to change."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div | ast.Mult):
        while isinstance(value, ast.BinOp):
            value = value.left
        return value.id if isinstance(value, ast.Name) else ""
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return ""
    owner, method = value.func.value, value.func.attr
    if not isinstance(owner, ast.Name) or is_model(owner.id) or owner.id in {"self", "cls"}:
        return ""
    first = value.args[0] if value.args else None
    if owner.id in {"torch", "F"}:
        of_tensor = method in _METHODS - {"softmax", "log_softmax"}  # dead_norm has those
        return first.id if of_tensor and isinstance(first, ast.Name) else ""
    number = isinstance(first, ast.Constant) and isinstance(first.value, int | float)
    moved = method in _MOVES and owner.id in samples
    changed = method in _METHODS or (method in _WITH_NUMBERS and number)
    return owner.id if moved or changed else ""


def _matters(statement: ast.Expr, name: str, scope: ast.AST) -> bool:
    """Whether a name has a value before a statement, and a loss is made of it behind."""
    stores = [n.lineno for n in nodes_of(scope) if isinstance(n, ast.Name) and n.id == name
              and isinstance(n.ctx, ast.Store)]  # fmt: skip
    stores += [a.lineno for a in nodes_of(scope) if isinstance(a, ast.arg) and a.arg == name]
    if not any(line <= statement.lineno for line in stores):
        return False
    goes_on = any(
        n.lineno >= statement.lineno and n is not statement and reads(n, name)
        for block in blocks_of(scope) for n in block
    )  # fmt: skip
    trained = calls_in(scope, "backward") or any(
        isinstance(n, ast.Return) and n.value is not None for n in nodes_of(scope)
    )
    return goes_on and bool(trained)


def _kept(statement: ast.Expr, name: str, code: str, tree: ast.Module) -> Fix:
    """The result under its name; behind the loop where the loop adds the name up."""
    message = Text("Keep the result", "保留结果")
    for loop in nodes_of(tree):
        if not isinstance(loop, ast.For) or len(loop.body) < 2 or loop.body[-1] is not statement:
            continue
        summed = any(isinstance(s, ast.AugAssign) and ast.unparse(s.target) == name
                     for s in loop.body[:-1])  # fmt: skip
        before = loop.body[-2]
        apart = (before.end_lineno or before.lineno) < statement.lineno
        if summed and apart:
            head = Span(statement.lineno, 0, statement.end_lineno or statement.lineno,
                        statement.end_col_offset or 0)  # fmt: skip
            return Fix((Edit(head, f"{' ' * loop.col_offset}{code}"),), "unsafe", message)
    return Fix((Edit(span(statement), code),), "unsafe", message)
