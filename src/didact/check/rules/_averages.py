"""Moving averages of parameters, ``old = a * old + b * new``, however they are written."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from didact.check.engine.names import dotted
from didact.check.engine.nodes import nodes_of

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

_LISTS = (
    "parameters", "named_parameters", "state_dict", "buffers", "values", "items", "variables"
)  # fmt: skip
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_ONE = ast.Constant(1)


@dataclass(frozen=True, slots=True)
class Update:
    """One update: what is averaged, what goes into it, and the weight of each."""

    node: ast.stmt
    target: ast.expr
    source: ast.expr
    old_weight: ast.expr
    new_weight: ast.expr


def updates(analysis: Analysis) -> Iterator[Update]:
    """The updates of one model's parameters by another's, in the order of the file."""
    for statement in analysis.index.of(ast.Assign):
        if len(statement.targets) == 1:
            yield from _kept(analysis, _by_value(statement, statement.targets[0], statement.value))
    for step in analysis.index.of(ast.AugAssign):
        sign = isinstance(step.op, ast.Add)
        if sign or isinstance(step.op, ast.Sub):
            yield from _kept(analysis, _by_step(step, step.target, step.value, added=sign))
    for line in analysis.index.of(ast.Expr):
        if isinstance(line.value, ast.Call):
            yield from _kept(analysis, _by_method(analysis, line, line.value))


def _kept(analysis: Analysis, update: Update | None) -> Iterator[Update]:
    if update is None or _key(update.target) == _key(update.source):
        return
    if _of_models(analysis, update):
        yield update


def _key(node: ast.expr) -> str:
    """The tensor that an expression stands for, ``.data`` and the like left out."""
    while True:
        if isinstance(node, ast.Attribute) and node.attr in ("data", "value"):
            node = node.value
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("detach", "clone", "float", "to", "cpu", "cuda")
        ):
            node = node.func.value
        else:
            return ast.unparse(node)


def _by_value(node: ast.stmt, target: ast.expr, value: ast.expr) -> Update | None:
    """``t = a * t + b * s``, ``t = torch.lerp(t, s, b)``, and the same less ``t``'s own change."""
    if isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] == "lerp":
        arguments = value.args
        if len(arguments) == 3 and _key(arguments[0]) == _key(target):
            return _lerp(node, target, arguments[1], arguments[2])
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add | ast.Sub):
        return None
    if _key(value.left) == _key(target):
        added = isinstance(value.op, ast.Add)
        return _by_step(node, target, value.right, added=added)
    if not isinstance(value.op, ast.Add):
        return None
    products = [_product(side) for side in (value.left, value.right)]
    return _of_products(node, target, products)


def _of_products(
    node: ast.stmt, target: ast.expr, products: list[tuple[ast.expr, ast.expr] | None]
) -> Update | None:
    first, second = products
    if first is None or second is None:
        return None
    mine = [[_key(part) == _key(target) for part in pair] for pair in (first, second)]
    if any(mine[0]) == any(mine[1]):
        return None
    old, new, own = (first, second, mine[0]) if any(mine[0]) else (second, first, mine[1])
    weight = old[0] if own[1] else old[1]
    pairs = [(new[0], new[1]), (new[1], new[0])]
    pair = next(((w, s) for w, s in pairs if _share(w) == _share(weight)), None)
    return None if pair is None else Update(node, target, pair[1], weight, pair[0])


def _share(weight: ast.expr) -> str:
    """The names of a weight, the same for ``m`` and ``1 - m``, or its kind for a number."""
    names = sorted({ast.unparse(p) for p in nodes_of(weight) if isinstance(p, ast.Name)})
    return ",".join(names) or ("number" if _literal(weight) is not None else "?")


def _product(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return node.left, node.right
    return None


def _by_step(node: ast.stmt, target: ast.expr, value: ast.expr, *, added: bool) -> Update | None:
    """``t += b * (s - t)`` and ``t -= b * (t - s)``."""
    pair = _product(value)
    for weight, difference in [pair, pair[::-1]] if pair is not None else ():
        if isinstance(difference, ast.BinOp) and isinstance(difference.op, ast.Sub):
            new, old = difference.left, difference.right
            new, old = (new, old) if added else (old, new)
            if _key(old) == _key(target):
                return _lerp(node, target, new, weight)
    return None


def _lerp(node: ast.stmt, target: ast.expr, new: ast.expr, weight: ast.expr) -> Update:
    return Update(node, target, new, ast.BinOp(_ONE, ast.Sub(), weight), weight)


def _by_method(analysis: Analysis, node: ast.stmt, call: ast.Call) -> Update | None:
    """``t.lerp_(s, b)``, ``t.copy_(...)``, ``t.mul_(a).add_(s, alpha=b)`` also on two lines."""
    function = call.func
    if not isinstance(function, ast.Attribute):
        return None
    target, arguments = function.value, call.args
    given = {k.arg: k.value for k in call.keywords}
    if function.attr == "lerp_" and arguments:
        weight = arguments[1] if len(arguments) > 1 else given.get("weight")
        return _lerp(node, target, arguments[0], weight) if weight is not None else None
    if function.attr == "copy_" and arguments:
        return _by_value(node, target, arguments[0])
    if function.attr != "add_" or not arguments:
        return None
    scaled = target if _is_scaling(target) else _scaled_before(analysis, node, target)
    if not isinstance(scaled, ast.Call) or not isinstance(scaled.func, ast.Attribute):
        return _by_step(node, target, arguments[0], added=True)
    old, kept = scaled.func.value, scaled.args[0]
    if len(arguments) == 2:
        return Update(node, old, arguments[1], kept, arguments[0])
    if "alpha" in given:
        return Update(node, old, arguments[0], kept, given["alpha"])
    pair = _product(arguments[0])
    for weight, new in [pair, pair[::-1]] if pair is not None else ():
        if _share(weight) == _share(kept):
            return Update(node, old, new, kept, weight)
    return None


def _is_scaling(node: ast.expr | None) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "mul_"
        and len(node.args) == 1
    )


def _scaled_before(analysis: Analysis, node: ast.stmt, target: ast.expr) -> ast.expr | None:
    """The ``mul_`` of the same tensor in the statement before."""
    parent = analysis.parent_of(node)
    body = getattr(parent, "body", None)
    if not isinstance(body, list) or node not in body or body.index(node) == 0:
        return None
    before = body[body.index(node) - 1]
    value = before.value if isinstance(before, ast.Expr) else None
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return None
    return value if _is_scaling(value) and _key(value.func.value) == _key(target) else None


def _of_models(analysis: Analysis, update: Update) -> bool:
    """Whether both tensors are parameters: a loop over them gave them, or a dictionary of them."""
    return all(
        _is_parameter(analysis, update.node, part) for part in (update.target, update.source)
    )


def _is_parameter(analysis: Analysis, node: ast.AST, tensor: ast.expr) -> bool:
    root: ast.expr = tensor
    while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
        if isinstance(root, ast.Call):
            name = dotted(root.func).rpartition(".")[2]
            if name in _LISTS:
                return True
            root = root.func
        else:
            root = root.value
    if not isinstance(root, ast.Name):
        return False
    around = analysis.parent_of(node)
    while around is not None:
        if isinstance(around, ast.For) and _binds(around.target, root.id):
            return _lists_parameters(around.iter)
        body = getattr(around, "body", None)
        for statement in body if isinstance(body, list) else ():
            if isinstance(statement, ast.Assign) and any(
                _binds(target, root.id) for target in statement.targets
            ):
                return _lists_parameters(statement.value)
        if isinstance(around, _FUNCTIONS):
            return False
        around = analysis.parent_of(around)
    return False


def _binds(target: ast.expr, name: str) -> bool:
    return any(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
        for part in nodes_of(target)
    )


def _lists_parameters(node: ast.expr) -> bool:
    return any(
        (isinstance(part, ast.Attribute) and part.attr in _LISTS)
        or (isinstance(part, ast.Name) and "param" in part.id)
        for part in nodes_of(node)
    )


def number_of(analysis: Analysis, node: ast.expr, place: ast.AST) -> float | None:
    """The number that a weight is: written out, a default, or assigned once and nowhere else."""
    known = _literal(node)
    if known is not None:
        return known
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        left = number_of(analysis, node.left, place)
        right = number_of(analysis, node.right, place)
        return None if left is None or right is None else round(left - right, 9)
    name = dotted(node)
    return _value_of_name(analysis, name, place) if name else None


def told_number(node: ast.expr, told: Mapping[str, float]) -> float | None:
    """The number that a weight is by the values that were told of names."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        left, right = told_number(node.left, told), told_number(node.right, told)
        return None if left is None or right is None else round(left - right, 9)
    known = _literal(node)
    return told.get(dotted(node).rpartition(".")[2]) if known is None else known


def _literal(node: ast.expr) -> float | None:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        left, right = _literal(node.left), _literal(node.right)
        return None if left is None or right is None else round(left - right, 9)
    return None


def _value_of_name(analysis: Analysis, name: str, place: ast.AST) -> float | None:
    assigned = [
        value
        for statement in analysis.index.of(ast.Assign)
        for target, value in _assignments(statement)
        if dotted(target) == name
    ]
    around = analysis.parent_of(place)
    while around is not None:
        if isinstance(around, _FUNCTIONS) and name in _parameters(around):
            return _parameter(analysis, around, name)
        around = analysis.parent_of(around)
    if len(assigned) != 1:
        return None
    value = assigned[0]
    if isinstance(value, ast.Name) and "." in name:
        return _value_of_name(analysis, value.id, value)
    return _literal(value)


def _assignments(statement: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Each target with its value; ``a, b = x, y`` are two."""
    for target in statement.targets:
        value = statement.value
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(target.elts, value.elts, strict=False)
        else:
            yield target, value


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = function.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _parameter(
    analysis: Analysis, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> float | None:
    """What a parameter is in the calls that give it, where they agree; else its default."""
    position = _parameters(function).index(name)
    arguments = function.args
    given: set[float | None] = set()
    for call in analysis.index.of(ast.Call):
        if dotted(call.func).rpartition(".")[2] != function.name:
            continue
        shift = (
            1 if isinstance(call.func, ast.Attribute) and _parameters(function)[0] == "self" else 0
        )
        named = next((k.value for k in call.keywords if k.arg == name), None)
        at = position - shift
        value = named or (call.args[at] if 0 <= at < len(call.args) else None)
        if value is not None:
            given.add(
                _literal(value)
                if _literal(value) is not None
                else number_of(analysis, value, call)
                if dotted(value) != name
                else None
            )
    if any(isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
           for part in nodes_of(function)):  # fmt: skip
        return None
    if given:
        return given.pop() if len(given) == 1 else None
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = dict(zip([a.arg for a in plain[::-1]], arguments.defaults[::-1], strict=False))
    defaults |= {
        a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d
    }
    return _literal(defaults[name]) if name in defaults else None
