"""Reading the names of a file in one walk."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import lru_cache

from didact.check.engine.index import ClassInfo, Function, Index

_WORDS = re.compile(
    r"softmax|sigmoid|kl_?div|kld|entropy|nll|distil|logsumexp|teacher|student|loss|criterion|\blog\b|"
    r"backward|detach|logit|prob|temperature|old_|prev",
    re.IGNORECASE,
)


def build_index(tree: ast.Module, source: str) -> Index:
    """Read the names of a file in one walk."""
    index = Index(tree)
    _walk(tree, index)
    index.comments = _comments(source)
    return index


def _walk(tree: ast.Module, index: Index) -> None:
    """Visit each node once, in no order; the hot loop of the checker."""
    stack: list[tuple[ast.AST, ClassInfo | None, tuple[int, ...]]] = [(tree, None, ())]
    nodes, parents, enter = index.nodes, index.parents, _ENTER
    while stack:
        node, owner, functions = stack.pop()
        kind = node.__class__
        nodes[kind].append(node)
        if kind in enter:
            owner, functions = enter[kind](node, owner, functions, index)
        for name in kind._fields:
            value = getattr(node, name, None)
            for child in value if value.__class__ is list else (value,):
                if isinstance(child, ast.AST) and child._fields:
                    parents[id(child)] = node
                    stack.append((child, owner, functions))


Place = tuple[ClassInfo | None, tuple[int, ...]]
"""The class and the functions around a node."""


def _enter_import(
    node: ast.Import | ast.ImportFrom,
    owner: ClassInfo | None,
    functions: tuple[int, ...],
    index: Index,
) -> Place:
    for alias in node.names:
        if isinstance(node, ast.Import):
            name = alias.asname or alias.name.split(".")[0]
            index.imports[name] = alias.name if alias.asname else name
            continue
        module = "." * node.level + (node.module or "")
        if alias.name == "*":
            index.stars.append(module)
        else:
            joint = "" if not node.module else "."
            index.imports[alias.asname or alias.name] = f"{module}{joint}{alias.name}"
    return owner, functions


def _enter_class(
    node: ast.ClassDef, _: ClassInfo | None, functions: tuple[int, ...], index: Index
) -> Place:
    info = ClassInfo(node, [_last(base) for base in node.bases], index)
    index.classes.setdefault(node.name, info)
    index.bound.add(node.name)
    return info, functions


def _enter_function(
    node: Function, owner: ClassInfo | None, functions: tuple[int, ...], index: Index
) -> Place:
    if owner is not None and index.parents.get(id(node)) is owner.node:
        owner.methods[node.name] = node
    else:
        index.functions.setdefault(node.name, node)
    if owner is not None:
        index.owners[id(node)] = owner
    index.bound.add(node.name)
    return owner, (*functions, id(node))


def _enter_name(
    node: ast.Name, owner: ClassInfo | None, functions: tuple[int, ...], index: Index
) -> Place:
    if not functions and isinstance(node.ctx, ast.Store):
        index.bound.add(node.id)
    _mark(node.id, functions, index)
    return owner, functions


def _enter_attribute(
    node: ast.Attribute, owner: ClassInfo | None, functions: tuple[int, ...], index: Index
) -> Place:
    _mark(node.attr, functions, index)
    return owner, functions


def _enter_argument(
    node: ast.arg, owner: ClassInfo | None, functions: tuple[int, ...], index: Index
) -> Place:
    _mark(node.arg, functions, index)
    return owner, functions


def _enter_assignment(
    node: ast.Assign | ast.AnnAssign,
    owner: ClassInfo | None,
    functions: tuple[int, ...],
    index: Index,
) -> Place:
    if owner is not None:
        _class_assignment(node, owner, index)
    elif not functions and node.value is not None:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                index.top_level.setdefault(target.id, node.value)
    return owner, functions


_ENTER: dict[type[ast.AST], Callable[..., Place]] = {
    ast.Import: _enter_import,
    ast.ImportFrom: _enter_import,
    ast.ClassDef: _enter_class,
    ast.FunctionDef: _enter_function,
    ast.AsyncFunctionDef: _enter_function,
    ast.Name: _enter_name,
    ast.Attribute: _enter_attribute,
    ast.arg: _enter_argument,
    ast.Assign: _enter_assignment,
    ast.AnnAssign: _enter_assignment,
}


def _mark(name: str, functions: tuple[int, ...], index: Index) -> None:
    if functions and functions[-1] not in index.relevant_functions and _is_of_interest(name):
        index.relevant_functions.update(functions)


@lru_cache(maxsize=50_000)
def _is_of_interest(name: str) -> bool:
    return _WORDS.search(name) is not None


def _class_assignment(node: ast.Assign | ast.AnnAssign, owner: ClassInfo, index: Index) -> None:
    if node.value is None:
        return
    in_body = index.parents.get(id(node)) is owner.node
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        for part, value in pairs(target, node.value):
            if isinstance(part, ast.Attribute) and _last(part.value) == "self":
                owner.assigned.setdefault(part.attr, []).append(value)
        if in_body and isinstance(target, ast.Name):
            owner.assigned.setdefault(target.id, []).append(node.value)


def pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """``self.a, self.b = a, b`` assigns two things."""
    if not isinstance(target, ast.Tuple):
        return [(target, value)]
    if not isinstance(value, ast.Tuple) or len(value.elts) != len(target.elts):
        return []
    return list(zip(target.elts, value.elts, strict=True))


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _comments(source: str) -> dict[int, str]:
    """Each line's comment: what follows the first ``#`` with no quote left open before it."""
    found: dict[int, str] = {}
    for number, line in enumerate(source.split("\n"), 1) if "#" in source else ():
        start = line.find("#")
        if start >= 0 and not (line.count('"', 0, start) % 2 or line.count("'", 0, start) % 2):
            found[number] = line[start:]
    return found
