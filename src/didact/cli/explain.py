"""``didact explain``: pasted code in words, or the page of one rule."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from typing import Annotated

import typer

_CODE = re.compile(r"[A-Za-z]{1,3}\w{0,3}\d\w{0,3}")


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
            help="A file, - for the standard input, or a rule's code such as KD101.",
        ),
    ] = "-",
    output_format: Annotated[
        Format, typer.Option("--format", "-f", help="Terminal text, Markdown or JSON.")
    ] = Format.text,
    lang: Annotated[
        str | None, typer.Option("--lang", help="en or zh; that of the locale by default.")
    ] = None,
) -> None:
    """Explain pasted distillation code line by line, or print the page of a rule.

    The code may be a fragment, and may be what a web page made of it: on one line, with comments
    glued to the code, with full-width punctuation, prompts or Markdown fences. Nothing is executed.

    didact explain KD101 --lang zh; pbpaste | didact explain; didact explain loss.py --format json
    """
    from pathlib import Path

    from didact._core.errors import UsageError
    from didact._core.i18n import choose_language
    from didact.check import explain as explaining

    language = choose_language(lang)
    if _CODE.fullmatch(what) and not Path(what).exists():
        _write(explaining.rule_page(what, language))
        return
    text = _standard_input() if what == "-" else _read(what)
    if not text.strip():
        raise UsageError(
            "there is nothing to explain: the text is empty; paste code or name a file"
        )
    explanation = explaining.explain(text)
    render = {
        Format.text: explaining.to_text,
        Format.markdown: explaining.to_markdown,
        Format.json: explaining.to_json,
    }[output_format]
    _write(render(explanation, language))


def _standard_input() -> str:
    from didact._core.errors import UsageError

    if sys.stdin.isatty():
        raise UsageError(
            "nothing was piped in; give a file or a rule's code, or pipe code in: "
            "pbpaste | didact explain"
        )
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def _read(name: str) -> str:
    """The text of a file; of a notebook the code of its cells."""
    from pathlib import Path

    from didact._core.errors import DataError
    from didact.check.files.opening import open_document
    from didact.check.files.source import UnreadableError

    file = Path(name).expanduser()
    try:
        text = file.read_bytes().decode("utf-8", "replace")
        return open_document(name, text).code if file.suffix == ".ipynb" else text
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataError(
            f"cannot read {file}: {reason}; give a file of code, or a rule's code"
        ) from None
    except UnreadableError as error:
        raise DataError(f"cannot read {file}: {error}; is it a notebook?") from None


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.flush()
