"""All nodes of a part of a file, listed once: dozens of questions are asked of each of them."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=1024)
def nodes_of(tree: ast.AST) -> tuple[ast.AST, ...]:
    """What ``ast.walk`` gives, kept for the last thousand parts."""
    return tuple(ast.walk(tree))


@lru_cache(maxsize=1024)
def text_of(node: ast.AST) -> str:
    """What ``ast.unparse`` gives, kept in the same way."""
    return ast.unparse(node)


@lru_cache(maxsize=1024)
def read_in(node: ast.AST) -> frozenset[str]:
    """The names that something in a part reads."""
    return frozenset(
        n.id for n in nodes_of(node)
        if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)
    )  # fmt: skip


@lru_cache(maxsize=1024)
def set_in(node: ast.AST) -> frozenset[str]:
    """The names that something in a part gives a value."""
    return frozenset(
        n.id for n in nodes_of(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    )


@lru_cache(maxsize=8)
def parents_of(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """What each part of a file stands in."""
    return {child: node for node in nodes_of(tree) for child in ast.iter_child_nodes(node)}
