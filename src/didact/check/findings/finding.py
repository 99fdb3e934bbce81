"""What the checker has to say about one place in a file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from didact._core.i18n import Text

Safety = Literal["safe", "unsafe", "display"]


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The signal is destroyed or disabled, or the code crashes."""
    WARNING = "warning"
    """Another scale or objective than the one that is written."""
    INFO = "info"
    """Worth knowing; may well be meant."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of source: lines from 1, columns from 0 in characters, the end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace a stretch of source by another text; an empty stretch inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend a finding.

    Attributes:
        edits: They do not overlap.
        safety: ``"safe"`` keeps what the code computes, ``"unsafe"`` changes the numbers as the
            message says, ``"display"`` is shown and never applied.
        message: What the edits do.
    """

    edits: tuple[Edit, ...]
    safety: Safety
    message: Text


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of one rule at one place."""

    code: str
    severity: Severity
    span: Span
    message: Text
    fix: Fix | None = None
