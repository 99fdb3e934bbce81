"""Which codes are wanted: prefixes, of which the longest that fits decides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from didact._core.errors import UsageError
from didact._core.lookup import suggest

EVERYTHING = "KD"


@dataclass(frozen=True, slots=True)
class Selection:
    """Codes that are wanted.

    Attributes:
        select: Prefixes of the codes to report.
        ignore: Prefixes of the codes not to report; on a tie with ``select`` they win.
    """

    select: tuple[str, ...] = (EVERYTHING,)
    ignore: tuple[str, ...] = ()
    fallback_ignore: tuple[str, ...] = field(default=())
    """Like ``ignore``, but on a tie ``select`` wins: the file's, where the command line selects."""

    def wants(self, code: str) -> bool:
        """Whether findings with this code are reported."""
        selected = _longest(code, self.select)
        return (
            selected > 0
            and selected > _longest(code, self.ignore)
            and selected >= _longest(code, self.fallback_ignore)
        )

    def names(self, code: str) -> bool:
        """Whether this very code is selected, not only a prefix of it."""
        return code in self.select and self.wants(code)


def matches(code: str, prefixes: Iterable[str]) -> bool:
    """Whether one of the prefixes fits the code."""
    return _longest(code, prefixes) > 0


def _longest(code: str, prefixes: Iterable[str]) -> int:
    return max((len(p) for p in prefixes if code.startswith(p)), default=0)


def parse_codes(texts: Iterable[str], *, known: Iterable[str], where: str) -> tuple[str, ...]:
    """The prefixes in a list of texts, each of which may hold several, separated by commas.

    Raises:
        UsageError: No code begins with one of them; the message suggests a near one.
    """
    known = sorted(known)
    codes = [part.upper() for text in texts for part in re.split(r"[\s,]+", text) if part]
    for code in codes:
        if not any(candidate.startswith(code) for candidate in known):
            hint = suggest(code, known) if known else "no codes are known"
            raise UsageError(f"{where}: no rule has the code {code!r}; {hint}")
    return tuple(codes)
