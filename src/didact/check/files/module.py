"""A Python file as a module that others import."""

from __future__ import annotations

import ast

from didact.check.files.document import NOTEBOOK_SUFFIXES
from didact.check.files.notebook import NotebookDocument
from didact.check.files.salvage import salvage
from didact.check.files.source import (
    UnreadableError,
    decode,
    parse_once,
    read_bytes,
    with_unix_newlines,
)


def is_module(path: str) -> bool:
    """Whether a file can be imported."""
    return path.lower().endswith((".py", ".pyw"))


def is_notebook(path: str) -> bool:
    """Whether a file is a notebook: it imports modules, and none imports it."""
    return path.lower().endswith(tuple(NOTEBOOK_SUFFIXES))


def has_imports(path: str) -> bool:
    """Whether a file is a module or imports some."""
    return is_module(path) or is_notebook(path)


def read_module(path: str) -> tuple[ast.Module, str] | None:
    """The tree and the text of a file; nothing where it cannot be read at all."""
    try:
        text = decode(read_bytes(path), python=not is_notebook(path))[0]
    except (OSError, UnreadableError):
        return None
    return module_in(path, text)


def module_in(path: str, text: str) -> tuple[ast.Module, str] | None:
    """The same of a text that the file has: of a notebook the code in its cells."""
    if not is_notebook(path):
        return module_of(with_unix_newlines(text))
    try:
        return module_of(NotebookDocument(text).code)
    except UnreadableError:
        return None


def module_of(code: str) -> tuple[ast.Module, str] | None:
    """The tree of a text whose lines end in a bare newline, and what of it was read."""
    try:
        return parse_once(code), code
    except UnreadableError as error:
        saved = salvage(code, error)
        return None if saved is None else (saved.tree, saved.code)
