"""Models of Keras: with which activation they end, found from the name that runs them.

A name leads to what is assigned to it, to the function that makes it, through ``add`` and
``Model(inputs, outputs)`` to the last layer, and from an attribute of a class to what the class is
given where it is made, also in other files.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from didact.check.engine.index import ClassInfo, Function, Index
from didact.check.engine.names import dotted
from didact.check.engine.nodes import nodes_of
from didact.check.rules._trace import callee_in

if TYPE_CHECKING:
    from didact.check.engine.engine import Analysis

_DEPTH = 5
_ACTIVATIONS = ("Softmax", "Activation", "Lambda")


def activations_of(analysis: Analysis, name: str) -> set[str | None]:
    """The last activations of the models of this name: a name, "" for none, ``None`` unknown."""
    found: set[str | None] = set()
    for index in analysis.files():
        found |= set(_of_name(index, index.tree, name, _DEPTH))
    return found


def compiled_with(analysis: Analysis, function: str) -> set[str | None]:
    """The last activations of the models that are compiled with a loss function of this name."""
    found: set[str | None] = set()
    for index in analysis.files():
        for call in index.of(ast.Call):
            losses = [k.value for k in call.keywords if k.arg == "loss"]
            if not dotted(call.func).endswith(".compile") or not losses:
                continue
            if any(_is_named(part, function) for part in nodes_of(losses[0])):
                model = dotted(call.func).rpartition(".")[0]
                found |= set(_of_name(index, index.tree, model, _DEPTH))
    return found


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _of_name(index: Index, scope: ast.AST, name: str, depth: int) -> Iterator[str | None]:
    """What a name stands for in a scope; the last layer that is added to it counts."""
    if depth <= 0:
        return
    last = name.rpartition(".")[2]
    added: ast.expr | None = None
    for node in nodes_of(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if dotted(target).rpartition(".")[2] == last and not _is_alias(node.value, last):
                    yield from _of_value(index, scope, node.value, depth - 1)
        elif isinstance(node, ast.Call):
            if dotted(node.func) == f"{name}.add" and node.args:
                added = node.args[0]
            if depth == _DEPTH and index.framework == "tensorflow":
                for parameter, value in _given(index, node):
                    if parameter == last and dotted(value).rpartition(".")[2] != last:
                        yield from _of_value(index, index.tree, value, depth - 1)
    if added is not None:
        yield activation(added)


def _given(index: Index, call: ast.Call) -> Iterator[tuple[str | None, ast.expr]]:
    """The arguments of a call with the names of their parameters, where they are known."""
    yield from ((keyword.arg, keyword.value) for keyword in call.keywords)
    info = index.classes.get(dotted(call.func))
    found = index.defined(dotted(call.func)) if info is None and dotted(call.func) else None
    if found is not None and isinstance(found.what, ClassInfo):
        info = found.what
    start = info.methods.get("__init__") if info is not None else None
    names = [argument.arg for argument in start.args.args[1:]] if start is not None else []
    yield from zip(names, call.args, strict=False)


def _is_alias(value: ast.expr, last: str) -> bool:
    return isinstance(value, ast.Name) and value.id == last


def _of_value(index: Index, scope: ast.AST, value: ast.expr, depth: int) -> Iterator[str | None]:
    if isinstance(value, ast.Name):
        yield from _of_name(index, scope, value.id, depth)
    if not isinstance(value, ast.Call) or depth <= 0:
        return
    kind = callee_in(index, value).rpartition(".")[2] or dotted(value.func).rpartition(".")[2]
    if kind == "Sequential":
        if value.args and isinstance(value.args[0], ast.List) and value.args[0].elts:
            yield activation(value.args[0].elts[-1])
        return
    if kind == "Model":
        outputs = [k.value for k in value.keywords if k.arg == "outputs"] or value.args[1:2]
        if outputs:
            yield from _of_output(index, scope, outputs[0], value, depth)
        return
    made = _function(index, dotted(value.func))
    if made is not None:
        function, home = made
        for node in nodes_of(function):
            if isinstance(node, ast.Return) and node.value is not None:
                yield from _of_value(home, function, node.value, depth - 1)


def _function(index: Index, name: str) -> tuple[Function, Index] | None:
    if name in index.functions:
        return index.functions[name], index
    last = name.rpartition(".")[2]
    for info in index.classes.values() if name.startswith("self.") else ():
        if last in info.methods:
            return info.methods[last], index
    found = index.defined(name) if name else None
    if found is not None and isinstance(found.what, ast.FunctionDef):
        return found.what, found.index
    return None


def _of_output(
    index: Index, scope: ast.AST, node: ast.expr, before: ast.AST, depth: int
) -> Iterator[str | None]:
    """The activation behind the output of ``Model(inputs, outputs)``."""
    if isinstance(node, ast.List | ast.Tuple):
        if len(node.elts) == 1:
            yield from _of_output(index, scope, node.elts[0], before, depth)
        return
    if isinstance(node, ast.Name) and depth > 0:
        value = _last_value(scope, node.id, before)
        if value is not None:
            yield from _of_output(index, scope, value, value, depth - 1)
    elif isinstance(node, ast.Call):
        yield activation(node.func)


def _last_value(scope: ast.AST, name: str, before: ast.AST) -> ast.expr | None:
    line = getattr(before, "lineno", 0)
    found: ast.expr | None = None
    for node in nodes_of(scope):
        if isinstance(node, ast.Assign) and node.lineno < line:
            named = any(_is_named(target, name) for target in node.targets)
            if named and (found is None or node.lineno > found.lineno):
                found = node.value
    return found


def activation(layer: ast.expr) -> str | None:
    """The activation of one layer; ``None`` where it is not known."""
    if not isinstance(layer, ast.Call):
        return None
    name = dotted(layer.func).rpartition(".")[2]
    if name in _ACTIVATIONS:
        return _text(layer.args[0]) if name == "Activation" and layer.args else _softmax(name)
    if not name.startswith(("Dense", "Conv")):
        return None
    for keyword in layer.keywords:
        if keyword.arg == "activation":
            return _text(keyword.value)
    return "" if len(layer.args) == 1 or name.startswith("Conv") else None


def _softmax(name: str) -> str | None:
    return "softmax" if name == "Softmax" else None


def _text(node: ast.expr) -> str | None:
    """``"softmax"`` and ``tf.nn.softmax`` alike."""
    if isinstance(node, ast.Constant):
        return str(node.value) if node.value else ""
    return dotted(node).rpartition(".")[2] or None
