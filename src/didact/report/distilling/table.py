"""The evidence as a table for the terminal, readable at 80 columns and in a log file."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from didact.report.distilling.evidence import EvidenceRow, evidence, latency_batch
from didact.report.distilling.load import parse_result
from didact.report.distilling.verdict import judge, retention
from didact.train.record.result import Result

STYLES = {"better": "bold green", "worse": "bold red", "unclear": "yellow", "": ""}


def evidence_table(result: dict[str, Any]) -> Group:
    """The table of the arms and what its numbers mean, for ``rich`` to print.

    Args:
        result: The content of ``result.json``.

    Raises:
        RunFolderError: It is not the result of a run.
    """
    checked = parse_result(result)
    return Group(_table(evidence(checked)), Text(_legend(checked), style="dim"))


def verdict(result: dict[str, Any]) -> str:
    """What the run has shown, in two or three sentences of plain text.

    Args:
        result: The content of ``result.json``.

    Raises:
        RunFolderError: It is not the result of a run.
    """
    checked = parse_result(result)
    found = judge(checked)
    return " ".join(part for part in (found.text, found.basis, retention(checked)) if part)


def _table(rows: list[EvidenceRow]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("", no_wrap=True)
    for heading in ("Teacher", "Student\nalone", "Student\ndistilled", "Distilled\n− alone"):
        table.add_column(heading, justify="right", vertical="bottom", no_wrap=True)
    for row in rows:
        change = Text(f"{row.change} {row.half_width}".rstrip(), style=STYLES[row.verdict])
        table.add_row(row.short, *row.cells, change)
    return table


def _legend(result: Result) -> str:
    """What stands behind ±, and what a batch is."""
    batch = latency_batch(result)
    latency = f" Latency: median for a batch of {batch}." if batch else ""
    if len(result.seeds) < 2:
        return f"One seed: no intervals and no test.{latency}"
    return f"Mean over {len(result.seeds)} seeds ± half of the 95% interval (Student t).{latency}"
