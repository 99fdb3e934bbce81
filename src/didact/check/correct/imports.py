"""The names that a correction writes: known where it writes them, or to be imported."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterable

from didact.check.engine.engine import Analysis
from didact.check.findings.finding import Edit, Span

_IMPORTS = {
    "copy": "import copy",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
}
_WORD = re.compile(r"(?<![\w.])(?:self\.)?[^\W\d]\w*(?!\s*=(?!=)|\w)")
"""A name, but for that of a keyword argument."""
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|\#[^\n]*")
_ROOT = re.compile(r"(?<![\w.])(copy|torch|F)\.")


def missing_imports(analysis: Analysis, edits: Iterable[Edit]) -> list[Edit]:
    """The imports of modules that the new text names and the file does not know.

    A fragment without any import stays one: it stands for a file that has them.
    """
    first = _first_import(analysis.tree)
    if first is None:
        return []
    index = analysis.index
    known = {name.split(".")[0] for name in index.imports} | index.bound
    known |= {name.id for name in index.of(ast.Name)}
    wanted = {root for edit in edits for root in _ROOT.findall(edit.text)} - known
    place = Span(first.lineno, 0, first.lineno, 0)
    text = "".join(f"{_IMPORTS[root]}\n" for root in sorted(wanted))
    return [Edit(place, text)] if text else []


def names_are_known(analysis: Analysis, edits: Iterable[Edit]) -> bool:
    """Whether all that the new text names is known where it is written.

    A correction may put together what it found in several functions; a parameter of one of them
    means nothing in another.
    """
    functions: list[ast.AST] = [*analysis.index.of(ast.FunctionDef)]
    functions += analysis.index.of(ast.AsyncFunctionDef)
    common = {*analysis.index.imports, *analysis.index.bound, *dir(builtins), *_IMPORTS, "nn"}
    for edit in edits:
        named = _names_in(edit.text)
        around = [f for f in functions if _holds(f, edit.span)]
        places = around or [analysis.tree]
        there = {name for place in places for name in _named_by(place)}
        if named - there - common:
            return False
    return True


def _holds(node: ast.AST, span: Span) -> bool:
    start, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", None) or 0
    return start <= span.line and span.end_line <= end


def _names_in(text: str) -> set[str]:
    """The names in a piece of code that need not be whole, with attributes of ``self``."""
    words = set(_WORD.findall(_STRING.sub("", text)))
    return {word for word in words if not keyword.iskeyword(word)}


def _named_by(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
    return found


def _first_import(tree: ast.Module) -> ast.stmt | None:
    for statement in tree.body:
        future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if isinstance(statement, ast.Import | ast.ImportFrom) and not future:
            return statement if statement.col_offset == 0 else None
    return None
