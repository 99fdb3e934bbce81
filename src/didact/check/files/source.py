"""From the bytes of a file to its text and its syntax tree, and back to bytes unharmed."""

from __future__ import annotations

import ast
import codecs
import io
import os
import re
import stat
import tokenize
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from didact._core.i18n import Text
from didact.check.findings.finding import Edit, Finding, Span
from didact.check.findings.meta import META, NOT_PARSED

_NEWLINE = re.compile(r"\r\n|\r|\n")


class UnreadableError(Exception):
    """Bytes that are no text, or text that is no Python; it becomes a diagnostic."""

    def __init__(
        self,
        reason: Text,
        line: int = 1,
        column: int = 0,
        *,
        syntax: str = "",
        mixes_tabs: bool = False,
    ) -> None:
        super().__init__(reason.en)
        self.reason, self.line, self.column = reason, line, column
        self.syntax = syntax
        """What the parser said; empty where it could not even begin."""
        self.mixes_tabs = mixes_tabs

    def finding(self) -> Finding:
        """The diagnostic."""
        span = Span(self.line, self.column, self.line, self.column)
        return Finding(NOT_PARSED, META[NOT_PARSED].severity, span, self.reason)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's text is stored."""

    name: str = "utf-8"
    bom: bool = False

    def encode(self, text: str) -> bytes:
        """The bytes of ``text``."""
        return (codecs.BOM_UTF8 if self.bom else b"") + text.encode(self.name)


def read_bytes(path: str) -> bytes:
    """The content of a file.

    Raises:
        OSError: It cannot be read, or is a pipe or a device: those give their content only once.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116  a Path costs as much as the call
        raise OSError("not a regular file; give its content to: didact check -")
    return Path(path).read_bytes()


def decode(data: bytes, *, python: bool = True) -> tuple[str, Encoding]:
    """The text of a file; a Python file may declare its encoding, others are UTF-8.

    Raises:
        UnreadableError: The bytes do not fit the encoding, or nothing is known of that encoding.
    """
    try:
        name = tokenize.detect_encoding(io.BytesIO(data).readline)[0] if python else "utf-8"
        bom = data.startswith(codecs.BOM_UTF8)
        name = "utf-8" if name == "utf-8-sig" else name
        return data.removeprefix(codecs.BOM_UTF8).decode(name), Encoding(name, bom)
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise UnreadableError(
            Text("cannot be decoded: {reason}", "无法解码：{reason}").format(reason=error)
        ) from error


def parse(code: str) -> ast.Module:
    """The syntax tree of ``code``.

    Raises:
        UnreadableError: It is not Python 3, or it is nested too deeply.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes are another linter's business
            return ast.parse(code)
    except SyntaxError as error:
        raise UnreadableError(
            _cannot_parse(error.msg),
            max(1, error.lineno or 1),
            max(0, (error.offset or 1) - 1),
            syntax=error.msg,
            mixes_tabs=isinstance(error, TabError),
        ) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableError(
            Text("cannot be parsed: nested too deeply", "无法解析：嵌套过深")
        ) from error
    except (ValueError, OverflowError) as error:
        raise UnreadableError(_cannot_parse(str(error))) from error


@lru_cache(maxsize=32)
def parse_once(code: str) -> ast.Module:
    """The same tree for the same text, for those who only read it.

    Raises:
        UnreadableError: As :func:`parse`.
    """
    return parse(code)


def _cannot_parse(reason: str) -> Text:
    return Text(
        "cannot be parsed as Python: {reason}; nothing in it was checked",
        "无法按 Python 解析：{reason}；其中的代码没有被检查",
    ).format(reason=reason)


def with_unix_newlines(text: str) -> str:
    """The text as the parser sees it: every line ends in one newline; columns stay."""
    return _NEWLINE.sub("\n", text) if "\r" in text else text


def lines_of(text: str) -> list[str]:
    """The lines without their ends, split as Python splits them (not at form feeds)."""
    return _NEWLINE.split(text)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits made; new lines end as the text's lines do.

    Raises:
        ValueError: An edit lies outside the text, or two overlap.
    """
    first_end = _NEWLINE.search(text)
    newline = first_end.group() if first_end else "\n"
    breaks = list(_NEWLINE.finditer(text))
    starts, ends = [0, *(b.end() for b in breaks)], [*(b.start() for b in breaks), len(text)]
    parts: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda e: e.span):
        start = _offset(starts, ends, edit.span.line, edit.span.column)
        end = _offset(starts, ends, edit.span.end_line, edit.span.end_column)
        if start < done or end < start:
            raise ValueError(f"{edit} overlaps another edit or ends before it starts")
        parts += [text[done:start], edit.text.replace("\n", newline)]
        done = end
    return "".join([*parts, text[done:]])


def _offset(starts: list[int], ends: list[int], line: int, column: int) -> int:
    if not 1 <= line <= len(starts):
        raise ValueError(f"line {line} is outside a text of {len(starts)} lines")
    offset = starts[line - 1] + column
    if column < 0 or offset > ends[line - 1]:
        raise ValueError(f"column {column} is outside line {line}")
    return offset
