"""Runs a paste in PyTorch on the numbers that its formula is evaluated on."""

from __future__ import annotations

import ast
import builtins
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from didact.check.explain.formula.arrays import Array
from didact.check.explain.formula.draws import Draw, bind
from didact.check.explain.formula.judge import Judged, Loss
from didact.check.explain.formula.kinds import kinds_of
from didact.check.explain.formula.tree import Evaluator, Node

BUILTINS = vars(builtins)


def tensor_of(value: Any) -> Any:
    """An array of the formula as a tensor; lists item by item."""
    if isinstance(value, Array):
        dtype = {"float": torch.float64, "int": torch.int64, "bool": torch.bool}[value.kind]
        tensor = torch.tensor(list(value.data), dtype=dtype).reshape(value.shape)
        return tensor.requires_grad_() if dtype is torch.float64 else tensor
    return [tensor_of(v) for v in value] if isinstance(value, list) else value


class Stub:
    """A model or object that the paste does not define: calls return what the formula was given."""

    def __init__(self, path: str, results: dict[str, Any]) -> None:
        self._path, self._results, self._calls = path, results, 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        path = f"{self._path}.{name}"
        if path in self._results:
            return self._results[path]
        return Stub(path, self._results)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = [v for text, v in self._results.items() if text.startswith(f"{self._path}(")]
        if len(found) > 1:
            raise LookupError(f"{self._path} is called on several inputs")
        if found and isinstance(found[0], list):
            self._calls += 1
            return found[0][(self._calls - 1) % len(found[0])]
        if found:
            return found[0].clone() if isinstance(found[0], torch.Tensor) else found[0]
        return self


def run(
    tree: ast.Module, loss: Loss, judged: Judged, draw: Draw, *,
    builtins: Any = BUILTINS, seen: Any = None,
) -> Any:  # fmt: skip
    """What the code computes for a loss, in float64; with the given builtins alone."""
    kinds = kinds_of([e.value for e in judged.tracer.entries])
    binding = bind(kinds.items(), draw)
    results = {g.text: tensor_of(v) for g, v in binding.items()}
    names: dict[str, Any] = {
        "torch": torch,
        "nn": nn,
        "F": F,
        "__builtins__": builtins,
        "__seen__": seen,
    }
    for given in binding:
        root = given.text.split("(")[0].split(".")[0].split("[")[0]
        if given.text == root and root.isidentifier():
            names[root] = results[root]
        elif root.isidentifier() and root != "self":
            names.setdefault(root, Stub(root, results))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in names and node.id not in builtins:
            names[node.id] = Stub(node.id, results)
    entry = loss.entry
    if entry.how == "return":
        return _called(tree, entry.owner, names, results)
    body = [s for s in tree.body if not _steps(s)]
    code = compile(ast.Module(body, []), "<paste>", "exec")
    exec(code, names)
    if entry.how == "backward":
        return eval(entry.name, names)
    return names[entry.name]


def _steps(statement: ast.stmt) -> bool:
    text = ast.unparse(statement)
    return ".backward()" in text and not isinstance(statement, ast.For | ast.With)


def _called(tree: ast.Module, owner: str, names: dict[str, Any], results: dict[str, Any]) -> Any:
    code = compile(tree, "<paste>", "exec")
    scope = dict(names)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            scope.pop(node.name, None)
    exec(code, scope)
    target: Any = scope
    if "." in owner:
        cls, method = owner.split(".", 1)
        node = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == cls)
        start = next((m for m in node.body if isinstance(m, ast.FunctionDef)
                      and m.name == "__init__"), None)  # fmt: skip
        wanted = [a.arg for a in start.args.args[1:]] if start else []
        instance = scope[cls](**{w: results[w] for w in wanted if w in results})
        function = getattr(instance, method)
        definition = next(m for m in node.body if isinstance(m, ast.FunctionDef)
                          and m.name == method)  # fmt: skip
        parameters = [a.arg for a in definition.args.args[1:]]
    else:
        function = target[owner]
        definition = next(n for n in tree.body if isinstance(n, ast.FunctionDef)
                          and n.name == owner)  # fmt: skip
        parameters = [a.arg for a in definition.args.args]
    arguments = {}
    for parameter in parameters:
        if parameter in results:
            arguments[parameter] = results[parameter]
        elif parameter in names:
            arguments[parameter] = names[parameter]
        else:
            arguments[parameter] = Stub(parameter, results)
    return function(**arguments)


def part_of(result: Any, loss: Loss, judged: Judged) -> Any:
    """One loss of those that a function returns together."""
    if isinstance(result, tuple):
        same = [x for x in judged.losses if x.entry.owner == loss.entry.owner]
        return result[same.index(loss)]
    return result


def evaluated(node: Node, judged: Judged, draw: Draw, *, defaults: bool = False) -> Any:
    """The value of a formula on the same numbers; ``defaults`` where the code sets them itself."""
    kinds = kinds_of([e.value for e in judged.tracer.entries])
    binding = bind(kinds.items(), draw)
    if defaults:
        binding |= {g: g.default for g in binding if isinstance(g.default, int | float)}
    return Evaluator(binding)(node)
