"""What is known already: a file of findings that later runs leave out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from didact._core.errors import UsageError
from didact.check.files.finding_files import relative_to
from didact.check.findings.report import Diagnostic, Report

SCHEMA = 1
Key = tuple[str, str, str]


def write_baseline(report: Report, file: Path) -> int:
    """Write down every finding by path, code and line of source, without line numbers.

    Returns:
        How many findings were written.

    Raises:
        UsageError: The file cannot be written.
    """
    counts = Counter(_key(d, file) for d in report.diagnostics)
    rows = [
        {"path": path, "code": code, "source": source, "count": count}
        for (path, code, source), count in sorted(counts.items())
    ]
    text = json.dumps({"schema": SCHEMA, "findings": rows}, ensure_ascii=False, indent=1)
    try:
        file.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(f"the baseline cannot be written to {file}: {error}") from error
    return counts.total()


def without_baseline(report: Report, file: Path) -> Report:
    """The report without the findings that the file knows, each as often as it knows them.

    Raises:
        UsageError: There is no such file, or it is no baseline.
    """
    known = _read(file)
    results = []
    for result in report.results:
        new = tuple(_new(result.diagnostics, known, file))
        results.append(replace(result, diagnostics=new))
    left_out = len(report.diagnostics) - sum(len(result.diagnostics) for result in results)
    return replace(report, results=tuple(results), baselined=left_out)


def _new(diagnostics: Iterable[Diagnostic], known: Counter[Key], file: Path) -> list[Diagnostic]:
    new: list[Diagnostic] = []
    for diagnostic in diagnostics:
        key = _key(diagnostic, file)
        if known[key] > 0:
            known[key] -= 1
        else:
            new.append(diagnostic)
    return new


def _key(diagnostic: Diagnostic, file: Path) -> Key:
    path = relative_to(diagnostic.path, file.absolute().parent)
    return path, diagnostic.code, diagnostic.source.strip()


def _read(file: Path) -> Counter[Key]:
    try:
        if file.exists() and not file.is_file():
            raise OSError("not a regular file")
        data: Any = json.loads(file.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']!r}, expected {SCHEMA}")
        return Counter(
            {
                (str(row["path"]), str(row["code"]), str(row["source"])): int(row["count"])
                for row in data["findings"]
            }
        )
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no baseline {file}; write one with --baseline {file} --write-baseline"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{file} is not a baseline of didact check: {error!r}") from error
