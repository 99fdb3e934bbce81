"""The forms in which a report is printed; one file each.

In comes a report. Calls ``rules`` for their summaries alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from didact._core.i18n import Language
from didact.check.findings.report import Report

FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit")
"""Each is ``render`` in the module of that name."""


@dataclass(frozen=True, slots=True)
class Style:
    """How to print.

    Attributes:
        language: The language of the messages.
        colour: Whether to colour; for a terminal.
        width: How many columns a line may have.
        statistics: Whether to count by code instead of listing.
    """

    language: Language = "en"
    colour: bool = False
    width: int = 80
    statistics: bool = False


def render(report: Report, name: str, style: Style) -> str:
    """The report in the form called ``name``, ending in a newline."""
    module = import_module(f"{__name__}.{name}")
    return cast("Callable[[Report, Style], str]", module.render)(report, style)
