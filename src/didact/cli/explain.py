"""``didact explain``: pasted code in words, or the page of one rule."""

from __future__ import annotations

import os
import re
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from didact._core.i18n import Language

_CODE = re.compile(r"[A-Za-z]{1,3}\w{0,3}\d\w{0,3}")
_LIKE_CODE = re.compile(r"[=(\n]|^\s*(import|from|def|class|return)\b")
LARGEST = 1_000_000
"""Characters of a text that is explained."""
_MOST = 2**26
"""Bytes that are read of a file: a notebook holds pictures beside its text."""


class Format(StrEnum):
    """How the explanation is written."""

    text = "text"
    markdown = "markdown"
    json = "json"


def command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[FILE|-|CODE]",
            help="A file, - for the standard input, a rule's code such as KD101, or code.",
        ),
    ] = "-",
    output_format: Annotated[
        Format, typer.Option("--format", "-f", help="Terminal text, Markdown or JSON.")
    ] = Format.text,
    lang: Annotated[
        str | None, typer.Option("--lang", help="en or zh; that of the locale by default.")
    ] = None,
    brief: Annotated[
        bool, typer.Option("--brief", help="The summary and the answer to your question alone.")
    ] = False,
) -> None:
    """Explain pasted distillation code line by line, or print the page of a rule.

    The code may be a fragment, and may be what a web page made of it: on one line, with comments
    glued to the code, with full-width punctuation, prompts or Markdown fences. Nothing is executed.

    didact explain KD101 --lang zh; pbpaste | didact explain; didact explain "loss = F.kl_div(a, b)"
    """
    from pathlib import Path

    from didact._core.errors import UsageError
    from didact._core.i18n import choose_language
    from didact.check import explain as explaining
    from didact.check.explain.words import command as words
    from didact.cli._speech import asked

    language = choose_language(asked(lang))
    if _CODE.fullmatch(what) and not Path(what).exists():
        _write(explaining.rule_page(what, language))
        return
    if what == "-":
        text = _standard_input(language)
    elif not what.strip():
        text = ""
    elif _LIKE_CODE.search(what) and not _is_file(what):
        text = what
    else:
        text = _read(what, language)
    if not text.strip():
        raise UsageError(words.EMPTY.pick(language))
    if len(text) > LARGEST:
        raise UsageError(words.TOO_LARGE.format(limit=f"{LARGEST:,}").pick(language))
    explanation = explaining.explain(text)
    if not explanation.source.strip():
        raise UsageError(words.NO_PYTHON.pick(language))
    if output_format is Format.json:
        _write(explaining.to_json(explanation, language))
    elif output_format is Format.markdown:
        _write(explaining.to_markdown(explanation, language, brief=brief))
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        _write(explaining.to_text(explanation, language, brief=brief, colour=colour))


def _is_file(name: str) -> bool:
    from pathlib import Path

    try:
        return Path(name).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def _standard_input(language: Language) -> str:
    from didact._core.errors import UsageError
    from didact.check.explain.words import command as words

    if sys.stdin.isatty():
        raise UsageError(words.NOTHING_PIPED.pick(language))
    return _decoded(sys.stdin.buffer.read(), language)


def _read(name: str, language: Language) -> str:
    """The text of a file; of a notebook the code of its cells."""
    from pathlib import Path

    from didact._core.errors import DataError
    from didact.check.explain.words import command as words
    from didact.check.files.opening import open_document
    from didact.check.files.source import UnreadableError

    file = Path(name).expanduser()
    try:
        with file.open("rb") as opened:  # a device may have no end
            data = opened.read(_MOST)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise DataError(words.CANNOT_READ.format(file=file, reason=reason).pick(language)) from None
    text = _decoded(data, language)
    try:
        return open_document(name, text).code if file.suffix == ".ipynb" else text
    except UnreadableError as error:
        raise DataError(words.NO_NOTEBOOK.format(file=file, reason=error).pick(language)) from None


def _decoded(data: bytes, language: Language) -> str:
    """Text in any usual encoding; what is no text is refused."""
    from didact._core.errors import UsageError
    from didact.check.explain.words import command as words
    from didact.check.snippet import BinaryError, decode

    try:
        return decode(data)
    except BinaryError:
        raise UsageError(words.BINARY.pick(language)) from None


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.flush()
