"""A Python file as a module that others import."""

from __future__ import annotations

import ast

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


def read_module(path: str) -> tuple[ast.Module, str] | None:
    """The tree and the text of a file; nothing where it cannot be read at all."""
    try:
        code = with_unix_newlines(decode(read_bytes(path))[0])
    except (OSError, UnreadableError):
        return None
    return module_of(code)


def module_of(code: str) -> tuple[ast.Module, str] | None:
    """The tree of a text whose lines end in a bare newline, and what of it was read."""
    try:
        return parse_once(code), code
    except UnreadableError as error:
        saved = salvage(code, error)
        return None if saved is None else (saved.tree, saved.code)
