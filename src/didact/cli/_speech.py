"""What the command line says, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Annotated

import typer

from didact._core.i18n import Language, choose_language
from didact._core.translate import translated

Lang = Annotated[
    str | None,
    typer.Option("--lang", help="en or zh; that of the locale by default."),
]


_SPOKEN: ContextVar[Language] = ContextVar("spoken", default="en")


_ASKED: ContextVar[str | None] = ContextVar("asked", default=None)


def ask(language: str | None) -> None:
    """Remember the language that stands before the command, ``didact --lang zh check``."""
    _ASKED.set(language)


def asked(language: str | None) -> str | None:
    """The language that a command is given, or that stands before it."""
    return language if language is not None else _ASKED.get()


def speak(language: str | None) -> None:
    """Speak the language that an option names from here on; None changes nothing.

    Raises:
        UsageError: The option names another language than ``en`` and ``zh``.
    """
    if language is not None:
        _SPOKEN.set(choose_language(language))


def spoken() -> Language:
    """The language that is spoken."""
    return _SPOKEN.get()


def said(text: str) -> str:
    """A text in the language that is spoken."""
    return translated(text, spoken())


def language_of(arguments: Sequence[str]) -> Language:
    """The language that a command line asks for, before it is known to be a right one."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--lang":
            asked = value if equals else "".join(arguments[place + 1 : place + 2])
            return choose_language(asked if asked in ("en", "zh") else None)
    return choose_language()
