"""Texts in English and Chinese, and the choice between them."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from didact._core.errors import UsageError

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Text:
    """One message in both languages; ``{fields}`` are filled by :meth:`format`."""

    en: str
    zh: str

    def pick(self, language: Language) -> str:
        """The text in one language."""
        return self.zh if language == "zh" else self.en

    def format(self, **values: object) -> Text:
        """The same text with its fields filled; a ``Text`` value is filled in its own language."""
        return Text(
            en=self.en.format(**{k: _in(v, "en") for k, v in values.items()}),
            zh=self.zh.format(**{k: _in(v, "zh") for k, v in values.items()}),
        )


def _in(value: object, language: Language) -> object:
    return value.pick(language) if isinstance(value, Text) else value


def choose_language(
    option: str | None = None, environment: Mapping[str, str] = os.environ
) -> Language:
    """The language to speak: the option if given, else that of the locale, else English.

    Raises:
        UsageError: The option names a language other than ``en`` and ``zh``.
    """
    if option is not None:
        if option not in get_args(Language):
            raise UsageError(f"language is {option!r}; expected 'en' or 'zh'")
        return cast("Language", option)
    for variable in ("DIDACT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(variable):
            return "zh" if value.lower().startswith("zh") else "en"
    name = locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"
