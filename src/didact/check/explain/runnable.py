"""What a corrected fragment needs to run: its imports, and a function around a bare return."""

from __future__ import annotations

import ast
import builtins
import symtable
import textwrap

from didact._core.i18n import Text
from didact.check.explain.correct import Correction
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.snippet.repair import parse

_IMPORTS = {
    "torch": "import torch",
    "nn": "import torch.nn as nn",
    "F": "import torch.nn.functional as F",
    "optim": "import torch.optim as optim",
    "np": "import numpy as np",
    "copy": "import copy",
    "math": "import math",
    "deepcopy": "from copy import deepcopy",
    "DataLoader": "from torch.utils.data import DataLoader",
    "Variable": "from torch.autograd import Variable",
}
WRAPPED = Text(
    "The fragment ends in `return` without its `def`; a function `snippet` was put around it.",
    "片段里有 `return` 却没有 `def`，外面套了一个函数 `snippet`。",
)

IMPORTED = Text(
    "{names}: used here and not among the imports of the paste; the import was added.",
    "{names} 在代码里用到，却不在已有的 import 之中；已补上 import。",
)


def _is_imported(name: str, tree: ast.Module) -> bool:
    """Whether a name is that of a module; an ``optim`` that takes steps is an optimizer."""
    if name != "optim":
        return name in _IMPORTS
    return not any(
        isinstance(n, ast.Attribute) and n.attr in {"step", "zero_grad", "param_groups"}
        and isinstance(n.value, ast.Name) and n.value.id == name
        for n in nodes_of(tree)
    )  # fmt: skip


def undefined(tree: ast.Module) -> list[str]:
    """Names that the code reads and neither it nor Python defines, in alphabetical order."""
    try:
        table = symtable.symtable(text_of(tree), "<paste>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _by_walking(tree)
    bound = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    free: set[str] = set()
    pending = [table]
    while pending:
        current = pending.pop()
        pending += current.get_children()
        top = current is table
        for symbol in current.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() or top):
                free.add(symbol.get_name())
    return sorted(free - bound - set(dir(builtins)) - {"__file__"})


def _by_walking(tree: ast.Module) -> list[str]:
    """The same where scopes cannot be told, as with a bare return."""
    stored = {
        n.id for n in nodes_of(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    stored |= {n.arg for n in nodes_of(tree) if isinstance(n, ast.arg)}
    stored |= {
        n.name
        for n in nodes_of(tree)
        if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    }
    for node in nodes_of(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            stored |= {(a.asname or a.name).split(".")[0] for a in node.names}
    loaded = {
        n.id for n in nodes_of(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    return sorted(loaded - stored - set(dir(builtins)))


def given_names(tree: ast.Module) -> list[str]:
    """Names that must come from outside, less the modules that are imported for the reader."""
    return [n for n in undefined(tree) if not _is_imported(n, tree)]


def runnable(correction: Correction) -> Correction:
    """The corrected code with its imports, and wrapped where it returns at top level."""
    tree = parse(correction.source)
    if tree is None or not tree.body:
        return correction
    source, marks = correction.source, list(correction.marks)
    marks = marks or [set() for _ in source.split("\n")]
    choices = list(correction.choices)
    imported = None
    missing = [n for n in undefined(tree) if _is_imported(n, tree)]
    if _returns_at_top(tree):
        parameters = ", ".join(n for n in undefined(tree) if not _is_imported(n, tree))
        source = f"def snippet({parameters}):\n" + textwrap.indent(source, "    ")
        marks = [{"def"}, *marks]
        choices.append(WRAPPED)
        if parse(source) is None:
            return correction
    if missing:
        added = [_IMPORTS[n] for n in sorted(missing, key=list(_IMPORTS).index)]
        if any(isinstance(n, ast.Import | ast.ImportFrom) for n in tree.body):
            imported = IMPORTED.format(names=", ".join(f"`{n}`" for n in missing))
            choices.append(imported)
        future = _after_future(tree) if not _returns_at_top(tree) else 0
        lines = source.split("\n")
        block = [*added, ""] if future == 0 else added
        source = "\n".join([*lines[:future], *block, *lines[future:]])
        new = [{"import"} if line else set() for line in block]
        marks = [*marks[:future], *new, *marks[future:]]
    return Correction(source, marks, choices, imported=imported)


def _after_future(tree: ast.Module) -> int:
    """The line after a module docstring and ``from __future__`` imports."""
    line = 0
    for node in tree.body:
        value = node.value if isinstance(node, ast.Expr) and line == 0 else None
        docstring = isinstance(value, ast.Constant) and isinstance(value.value, str)
        future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not docstring and not future:
            break
        line = node.end_lineno or line
    return line


def _returns_at_top(tree: ast.Module) -> bool:
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Return):
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        pending += ast.iter_child_nodes(node)
    return False
