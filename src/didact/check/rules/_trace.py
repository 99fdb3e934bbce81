"""Where a tensor comes from: the expressions that it passed through, backwards.

The interpreter keeps what a value is; some rules also ask by which way it came: whether it was
padded, cut, or picked by ``topk``. A path goes from a name to its assignment, from a parameter to
the argument of the call through which the function was entered, from a call of a helper to what it
returns, and through everything that keeps the numbers apart (views, copies, quotients, softmaxes).
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from didact.check.engine.events import LossUse, Scope, Softmax, Total
from didact.check.engine.index import Index
from didact.check.engine.machine import Routine
from didact.check.engine.names import word_set
from didact.check.engine.nodes import nodes_of

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

_KEEPING = word_set(
    "view reshape contiguous clone detach to cuda cpu float double half bfloat16 type type_as "
    "squeeze unsqueeze flatten transpose permute log exp softmax log_softmax clamp div mul "
    "masked_fill gather requires_grad_ data logits values"
)
"""Calls and attributes that keep the numbers, or what they come from, apart."""
_MAXIMUM = 60
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Step:
    """One expression on the way.

    Attributes:
        node: The expression.
        scope: Where it stands, and through which calls.
        index: Which element of it was taken, where it was unpacked.
    """

    node: ast.expr
    scope: Scope
    index: int | None = None


def path(analysis: Analysis, node: ast.expr | None, scope: Scope) -> Iterator[Step]:
    """The expressions from a value back to where it was made, the last first."""
    softmaxes = _softmaxes(analysis)
    step = None if node is None else Step(node, scope)
    for _ in range(_MAXIMUM):
        if step is None:
            return
        yield step
        step = _before(analysis, step, softmaxes)


_SOFTMAXES: WeakKeyDictionary[Analysis, tuple[int, dict[int, Softmax]]] = WeakKeyDictionary()


def _softmaxes(analysis: Analysis) -> dict[int, Softmax]:
    """The softmaxes of an analysis by their nodes."""
    known = _SOFTMAXES.get(analysis)
    if known is None or known[0] != len(analysis.softmaxes):
        by_node = {id(softmax.node): softmax for softmax in analysis.softmaxes}
        known = _SOFTMAXES[analysis] = len(analysis.softmaxes), by_node
    return known[1]


def _before(analysis: Analysis, step: Step, softmaxes: dict[int, Softmax]) -> Step | None:
    node, scope = step.node, step.scope
    if isinstance(node, ast.Name):
        return _of_name(analysis, node, scope)
    if isinstance(node, ast.Tuple | ast.List) and step.index is not None:
        return Step(node.elts[step.index], scope) if step.index < len(node.elts) else None
    if isinstance(node, ast.NamedExpr | ast.Subscript | ast.Starred):
        return Step(node.value, scope)
    if isinstance(node, ast.UnaryOp):
        return Step(node.operand, scope)
    if isinstance(node, ast.BinOp):
        return Step(_tensor_of(analysis, node), scope)
    if isinstance(node, ast.Attribute):
        return Step(node.value, scope) if node.attr in _KEEPING else None
    if isinstance(node, ast.Call):
        return _of_call(analysis, node, scope, softmaxes)
    return None


def is_one_sample(analysis: Analysis, node: ast.expr | None, scope: Scope) -> bool:
    """Whether the batch dimension may be gone: squeezed away, or one row was picked."""
    for step in path(analysis, node, scope):
        part = step.node
        if callee(analysis, part).rpartition(".")[2] == "squeeze" and isinstance(part, ast.Call):
            given = [*part.args[-1:], *(k.value for k in part.keywords)]
            numbers = [a.value for a in given if isinstance(a, ast.Constant)]
            if not numbers or numbers[0] == 0:
                return True
        if isinstance(part, ast.Subscript) and _picks(part.slice):
            return True
    return False


def _picks(key: ast.expr) -> bool:
    """``[0]`` and ``[0, 0]``."""
    parts = key.elts if isinstance(key, ast.Tuple) else [key]
    return all(isinstance(part, ast.Constant) and part.value is not ... for part in parts)


def same_source(analysis: Analysis, use: LossUse) -> bool:
    """Whether both sides are made of one tensor: its entropy, not a distance of two."""
    if use.kind == "kl_by_hand":
        return False  # its logarithm has both
    ends, parts = [], []
    for node in (use.input_node, use.target_node):
        steps = list(path(analysis, node, use.scope))
        ends.append(steps[-1] if steps else None)
        parts.append([ast.unparse(s.node) for s in steps if isinstance(s.node, ast.Subscript)])
    if parts[0] != parts[1]:
        return False  # two outputs of one network
    first, second = ends
    if first is None or second is None or first.scope.node is not second.scope.node:
        return False
    return first.node is second.node or (
        isinstance(first.node, ast.Name | ast.Attribute)
        and ast.unparse(first.node) == ast.unparse(second.node)
    )


@lru_cache(maxsize=256)
def _values_of_names(function: ast.AST) -> dict[str, list[ast.expr]]:
    """Everything that a function assigns to each name, or to a part of it."""
    assigned: dict[str, list[ast.expr]] = {}
    for part in nodes_of(function):
        if isinstance(part, ast.Assign):
            for target in part.targets:
                for name in nodes_of(target):
                    if isinstance(name, ast.Name):
                        assigned.setdefault(name.id, []).append(part.value)
    return assigned


_CUTTING = word_set("detach detach_ item numpy tolist argmax topk data size shape")


def computed_from(function: ast.AST, node: ast.expr | None) -> set[int]:
    """The calls that a value may be computed from, on any path: their ids.

    It follows names to everything that the function assigns to them, not past a ``detach``.
    """
    assigned = _values_of_names(function)
    found: set[int] = set()
    waiting: list[ast.AST] = [] if node is None else [node]
    while waiting:
        part = waiting.pop()
        if id(part) in found:
            continue
        found.add(id(part))
        if isinstance(part, ast.Name):
            waiting += assigned.get(part.id, [])
        elif not isinstance(part, ast.Attribute) or part.attr not in _CUTTING:
            cut = isinstance(part, ast.Call) and _cuts(part.func)
            waiting += () if cut else ast.iter_child_nodes(part)
    return found


def _cuts(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr in _CUTTING


def place_in_file(analysis: Analysis, use: LossUse) -> ast.AST:
    """A loss, or the call in this file through which it is computed in another one."""
    calls = (call for call in reversed(use.scope.calls) if analysis.owns(call))
    return use.node if analysis.owns(use.node) else next(calls, use.node)


def is_told_elsewhere(analysis: Analysis, use: LossUse, total: Total) -> bool:
    """Whether a sum, or a loss that has a sum where it stands, is for another file to report."""
    if not analysis.owns(total.node):
        return True
    if analysis.owns(use.node):
        return False
    return any(
        other.scope.node is use.scope.node and len(other.value.terms) > 1
        for other in analysis.totals
        if any(term.use.node is use.node for term in other.value.terms)
    )


def callee(analysis: Analysis, node: ast.AST) -> str:
    """What is called, as imported (``torch.topk``), or a method's name after a dot (``.topk``)."""
    return callee_in(analysis.index, node)


def callee_in(index: Index, node: ast.AST) -> str:
    """The same for a node of another file."""
    if not isinstance(node, ast.Call):
        return ""
    parts: list[str] = []
    function: ast.expr = node.func
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    root = index.lookup(function.id) if isinstance(function, ast.Name) else None
    if root is not None:
        return ".".join([root, *reversed(parts)])
    return f".{parts[0]}" if parts else ""


def _tensor_of(analysis: Analysis, node: ast.BinOp) -> ast.expr:
    right = analysis.value_of(node.right)
    left = analysis.value_of(node.left)
    swapped = right is not None and right.is_tensor and not (left and left.is_tensor)
    return node.right if swapped else node.left


def _of_call(
    analysis: Analysis, node: ast.Call, scope: Scope, softmaxes: dict[int, Softmax]
) -> Step | None:
    softmax = softmaxes.get(id(node))
    if softmax is not None:
        return None if softmax.argument_node is None else Step(softmax.argument_node, scope)
    callee_value = analysis.value_of(node.func)
    if callee_value is not None and isinstance(callee_value.payload, Routine):
        return _returned(callee_value.payload.node, node, scope)
    name = callee(analysis, node)
    if name.rpartition(".")[2] not in _KEEPING:
        return None
    if name.startswith("."):
        return Step(node.func.value, scope) if isinstance(node.func, ast.Attribute) else None
    return Step(node.args[0], scope) if node.args else None


def _returned(helper: _Function, call: ast.Call, scope: Scope) -> Step | None:
    if any(known is call for known in scope.calls) or len(scope.calls) > 3:
        return None
    returns = [part.value for part in nodes_of(helper) if isinstance(part, ast.Return)]
    if isinstance(helper, ast.Lambda):
        returns = [helper.body]
    if len(returns) != 1 or returns[0] is None:
        return None
    return Step(returns[0], Scope(helper, None, scope.depth + 1, (*scope.calls, call)))


def _of_name(analysis: Analysis, node: ast.Name, scope: Scope) -> Step | None:
    found = _assigned(scope.node, node)
    if found is not None:
        return Step(found[0], scope, found[1])
    if isinstance(scope.node, ast.Module):
        return None
    argument = argument_of(scope, node.id)
    if argument is not None:
        return Step(argument, outer(analysis, scope))
    return None


def argument_of(scope: Scope, name: str) -> ast.expr | None:
    """What a parameter is given by the call through which a function was entered."""
    if isinstance(scope.node, ast.Module) or not scope.calls:
        return None
    call, signature = scope.calls[-1], scope.node.args
    names = [argument.arg for argument in (*signature.posonlyargs, *signature.args)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if name in names and names.index(name) < len(call.args):
        argument = call.args[names.index(name)]
        return None if isinstance(argument, ast.Starred) else argument
    return None


def outer(analysis: Analysis, scope: Scope) -> Scope:
    """The scope of the call through which a function was entered."""
    node: ast.AST | None = scope.calls[-1]
    while node is not None and not isinstance(node, _Function | ast.Module):
        node = analysis.parent_in_project(node)
    inside = node if node is not None else analysis.tree
    return Scope(inside, None, max(scope.depth - 1, 0), scope.calls[:-1])


def _assigned(function: ast.AST, name: ast.Name) -> tuple[ast.expr, int | None] | None:
    """The value that a name was last given before it is read, and which element of it."""
    given = _assignments(function).get(name.id, [])
    for line, value, index in reversed(given[: bisect_right(given, name.lineno, key=_line)]):
        if not _holds(value, name):
            return value, None if index < 0 else index
        del line
    return None


@lru_cache(maxsize=256)
def _assignments(function: ast.AST) -> dict[str, list[tuple[int, ast.expr, int]]]:
    """What each name of a function is given, by line: the value, and which element of it."""
    found: dict[str, list[tuple[int, ast.expr, int]]] = {}
    for part in nodes_of(function):
        for target, value in _targets(part):
            line = getattr(part, "lineno", 0)
            elements = target.elts if isinstance(target, ast.Tuple | ast.List) else []
            names = {
                e.id: n for n, e in reversed([*enumerate(elements)]) if isinstance(e, ast.Name)
            }
            if isinstance(target, ast.Name):
                names = {target.id: -1}
            for name, index in names.items():
                found.setdefault(name, []).append((line, value, index))
    for given in found.values():
        given.sort(key=_line)
    return found


def _line(given: tuple[int, ast.expr, int]) -> int:
    return given[0]


def _holds(value: ast.expr, name: ast.Name) -> bool:
    """Whether a name stands inside a value."""
    start = (value.lineno, value.col_offset)
    end = (value.end_lineno or value.lineno, value.end_col_offset or 0)
    if not start <= (name.lineno, name.col_offset) <= end:
        return False
    return any(child is name for child in nodes_of(value))


def _targets(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign):
        return [(target, node.value) for target in node.targets]
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return [(node.target, node.value)]
    return [(node.target, node.value)] if isinstance(node, ast.NamedExpr) else []
