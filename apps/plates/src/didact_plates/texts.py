"""What the application says, in the language that is spoken: English, or Chinese by a catalogue."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Literal

from didact_plates.chinese import TEXTS
from didact_plates.errors import PlatesError

Language = Literal["en", "zh"]

_SPOKEN: ContextVar[Language] = ContextVar("spoken", default="en")


def say(english: str, **values: object) -> str:
    """A text in the language that is spoken, with its ``{fields}`` filled.

    Args:
        english: The text as it stands in the catalogue of :mod:`didact_plates.chinese`; one that
            is not there stays English.
        values: What fills the fields; a value that is itself a text is given as it is to be read.
    """
    text = TEXTS.get(english, english) if spoken() == "zh" else english
    return text.format(**values) if values else text


def speak(language: str | None) -> None:
    """Speak ``en`` or ``zh`` from here on; None changes nothing.

    Raises:
        PlatesError: Another language.
    """
    if language is None:
        return
    if language == "en":
        _SPOKEN.set("en")
    elif language == "zh":
        _SPOKEN.set("zh")
    else:
        raise PlatesError(say("--lang is {language}; expected en or zh", language=repr(language)))


def spoken() -> Language:
    """The language that is spoken."""
    return _SPOKEN.get()


def language_of(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Language:
    """The language that a command line or else the locale asks for; a wrong one is English."""
    for place, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name == "--lang":
            asked = value if equals else "".join(arguments[place + 1 : place + 2])
            return "zh" if asked == "zh" else "en"
    for variable in ("DIDACT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if found := environment.get(variable):
            return "zh" if found.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"
