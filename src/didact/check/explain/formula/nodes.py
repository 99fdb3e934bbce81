"""All nodes of a file, listed once: dozens of questions are asked of each of them."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=8)
def nodes_of(tree: ast.Module) -> tuple[ast.AST, ...]:
    """What ``ast.walk`` gives, kept for the last few trees."""
    return tuple(ast.walk(tree))
