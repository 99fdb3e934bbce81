"""A console that says what it is given in the reader's language, tables and all."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from rich.console import Console, Group
from rich.table import Column, Table
from rich.text import Text

from didact._core.i18n import Language
from didact._core.translate import translated
from didact.cli._speech import spoken


def console(*, stderr: bool = False) -> SpeakingConsole:
    """A console in the language that is spoken."""
    return SpeakingConsole(spoken(), stderr=stderr)


class SpeakingConsole(Console):
    """A console that says what it is given in one language, tables and all."""

    def __init__(self, language: Language, **options: Any) -> None:
        super().__init__(**options)
        if self.width < 1:  # COLUMNS=0, as where a terminal does not know its size
            self.width = 80
        self.language: Language = language

    def translated(self, text: str) -> str:
        """The text in the language of the console."""
        return translated(text, self.language)

    def print(self, *objects: Any, **options: Any) -> None:
        """See :class:`rich.console.Console`."""
        if self.language != "en":
            objects = tuple(in_language(one, self.language) for one in objects)
        super().print(*objects, **options)


def in_language(shown: Any, language: Language) -> Any:
    """Text, tables and groups of them in a language; anything else as it is."""
    if isinstance(shown, str):
        return translated(shown, language)
    if isinstance(shown, Text):
        return Text(translated(shown.plain, language), shown.style)
    if isinstance(shown, Group):
        return Group(*(in_language(one, language) for one in shown.renderables))
    if isinstance(shown, Table):
        table = copy.copy(shown)
        table.columns = [_column(column, language) for column in shown.columns]
        table.title = None if shown.title is None else in_language(shown.title, language)
        return table
    return shown


def _column(column: Column, language: Language) -> Column:
    cells = [in_language(cell, language) for cell in column._cells]
    return replace(column, header=in_language(column.header, language), _cells=cells)
