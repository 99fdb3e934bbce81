"""Scopes, blocks and names of the statements of a paste."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from didact.check.explain.call_words import last_name
from didact.check.explain.formula.nodes import nodes_of, parents_of, read_in, set_in

Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.While
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def scopes_of(tree: ast.Module) -> list[ast.Module | Function]:
    """The whole code and its functions."""
    return [tree, *(n for n in nodes_of(tree) if isinstance(n, _FUNCTIONS))]


def blocks_of(scope: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements of a scope, those of inner functions and classes left out."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(scope, field, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block
            for statement in block:
                if not isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
                    yield from blocks_of(statement)
    for handler in getattr(scope, "handlers", []):
        yield from blocks_of(handler)


def loops_around(tree: ast.Module, node: ast.AST) -> list[Loop]:
    """The loops that a node stands in, the outermost first."""
    parents = parents_of(tree)
    found = []
    while node in parents:
        inner, node = node, parents[node]
        if isinstance(node, Loop) and inner in node.body:
            found.append(node)
    return found[::-1]


def reads(node: ast.AST, name: str) -> bool:
    """Whether something in a node reads a name."""
    return name in read_in(node)


def sets(node: ast.AST, name: str) -> bool:
    """Whether something in a node gives a name a value."""
    return name in set_in(node)


def calls_in(node: ast.AST, *names: str) -> list[ast.Call]:
    """The calls in a node of functions or methods with these names."""
    return [n for n in nodes_of(node) if isinstance(n, ast.Call) and last_name(n.func) in names]


def target_of(statement: ast.AST) -> str:
    """The plain name that a statement gives a value; nothing for other statements."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        target = statement.target
    else:
        return ""
    return target.id if isinstance(target, ast.Name) else ""


def is_loss_value(value: ast.expr, known: frozenset[str]) -> bool:
    """Whether an expression calls one of the known functions of losses."""
    return any(isinstance(n, ast.Call) and last_name(n.func) in known for n in nodes_of(value))
