"""The result of a run, as every output format takes it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from didact.check.findings.finding import Finding, Severity
from didact.check.findings.meta import FAILED, NOT_PARSED


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding and its place.

    Attributes:
        path: The file, with forward slashes.
        cell: The number of the notebook cell, from 1; lines then count within the cell.
        finding: What was found, in the lines of the file or cell.
        source: The line on which it begins.
    """

    path: str
    cell: int | None
    finding: Finding
    source: str

    @property
    def code(self) -> str:
        """The code of the finding."""
        return self.finding.code

    @property
    def where(self) -> str:
        """``path:line:column``, columns from 1, with the cell where there is one."""
        cell = "" if self.cell is None else f"cell {self.cell}:"
        span = self.finding.span
        return f"{self.path}:{cell}{span.line}:{span.column + 1}"


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file.

    Attributes:
        path: The file.
        diagnostics: What is found in it, after fixing.
        fixed: How many findings its fixes did away with.
        diff: The fixes as a unified diff, where one was asked for.
        data: The content after fixing, where something was fixed.
        before: The content before.
    """

    path: str
    diagnostics: tuple[Diagnostic, ...] = ()
    fixed: int = 0
    diff: str = ""
    data: bytes | None = None
    before: bytes = b""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of all files, sorted by path."""

    results: tuple[FileResult, ...]
    baselined: int = 0

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Everything that was found, by path, cell and line."""
        return [diagnostic for result in self.results for diagnostic in result.diagnostics]

    @property
    def fixed(self) -> int:
        """How many findings were fixed."""
        return sum(result.fixed for result in self.results)

    @property
    def failed(self) -> bool:
        """Whether the checker itself failed on a file."""
        return any(diagnostic.code == FAILED for diagnostic in self.diagnostics)

    def count(self, severity: Severity) -> int:
        """How many findings have a severity."""
        return sum(d.finding.severity is severity for d in self.diagnostics)

    def statistics(self) -> list[tuple[str, int]]:
        """Each code with its number of findings, the commonest first."""
        counts = Counter(diagnostic.code for diagnostic in self.diagnostics)
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    def fails(self, *, unread_fails: bool) -> bool:
        """Whether something was found; an unreadable file counts only where it is asked for."""
        return any(unread_fails or d.code != NOT_PARSED for d in self.diagnostics)


def fingerprinted(diagnostics: Iterable[Diagnostic]) -> Iterator[tuple[str, Diagnostic]]:
    """Each finding with a name that stays when lines above it come and go.

    It is made of code, path, the line without its indent, and the how-manieth of these it is.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    for diagnostic in diagnostics:
        key = (diagnostic.code, diagnostic.path, diagnostic.source.strip())
        seen[key] += 1
        text = "\0".join([*key, str(seen[key])])
        yield hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), diagnostic
