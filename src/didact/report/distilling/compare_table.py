"""A comparison of runs as a table for the terminal, as Markdown, or as plain values for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from didact.report.distilling.compare import ComparedRun, Comparison
from didact.report.distilling.evidence import ARM_NAMES, direction
from didact.report.drawing import format as fmt

COLUMNS = ("Run", "Seeds", "Mean ± 95%", "Median", "Quartiles", "Difference", "p")
STYLES = {"better": "bold green", "worse": "bold red", "unclear": ""}


def comparison_table(comparison: Comparison) -> Group:
    """The table, what the tests were, and warnings."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for number, column in enumerate(COLUMNS):
        overflow = "fold" if number == 0 else "ellipsis"
        justify = "left" if number == 0 else "right"
        table.add_column(column, justify=justify, overflow=overflow, no_wrap=number > 0)  # type: ignore[arg-type]
    for run in comparison.runs:
        cells = _cells(run, comparison)
        style = _style(run, comparison)
        table.add_row(Text(cells[0]), *cells[1:5], Text(cells[5], style=style), cells[6])
    notes = Text("\n".join(_notes(comparison)), style="dim")
    return Group(Text(_title(comparison), style="bold"), Text(), table, notes)


def comparison_markdown(comparison: Comparison) -> str:
    """A table that GitHub shows, with the notes below it."""
    lines = [f"**{_title(comparison)}**", "", "| " + " | ".join(COLUMNS) + " |"]
    lines.append("|---|" + "---:|" * (len(COLUMNS) - 1))
    for run in comparison.runs:
        cells = [cell.replace("|", "\\|") for cell in _cells(run, comparison)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *(f"{note}  " for note in _notes(comparison))]).rstrip() + "\n"


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """All numbers, unrounded."""
    return {
        "metric": comparison.measure.key,
        "arm": comparison.arm,
        "data": comparison.data,
        "runs": [
            {
                **asdict(run),
                "quartiles": run.quartiles._asdict(),
                "difference": None if run.difference is None else run.difference.as_dict(),
            }
            for run in comparison.runs
        ],
        "warnings": list(comparison.warnings),
    }


def _title(comparison: Comparison) -> str:
    return (
        f"{comparison.measure.label}, {ARM_NAMES[comparison.arm].lower()}, "
        f"on the test split of {comparison.data}"
    )


def _cells(run: ComparedRun, comparison: Comparison) -> list[str]:
    scale, digits = comparison.measure.scale, comparison.measure.digits
    middle = fmt.number(run.quartiles.median * scale, digits)
    low, high = (fmt.number(q * scale, digits) for q in (run.quartiles.q1, run.quartiles.q3))
    mean = fmt.spread(run.interval, scale=scale, digits=digits)
    cells = [run.name, str(len(run.values)), mean, middle, f"{low}–{high}"]
    if run.difference is None:
        return [*cells, "", ""]
    half = fmt.change_half_width(run.difference, scale, digits)
    change = f"{fmt.change(run.difference, scale, digits)} {half}".rstrip()
    return [*cells, change, fmt.p_value(run.difference.p_value).removeprefix("p ").lstrip("= ")]


def _style(run: ComparedRun, comparison: Comparison) -> str:
    if run.difference is None:
        return ""
    better = comparison.measure.higher_is_better
    return STYLES[direction(run.difference, higher_is_better=better)]


def _notes(comparison: Comparison) -> list[str]:
    first = comparison.runs[0].name
    notes = [f"Differences are from {first}, ± half of their 95% interval."]
    tests: dict[str, list[str]] = {}
    for run in comparison.runs[1:]:
        if run.difference is None:
            continue
        tests.setdefault(run.difference.test, []).append(run.name)
        if run.difference.note:
            notes.append(f"{run.name}: no interval and no test: {run.difference.note}.")
        elif run.sign_flip_p is not None:
            p_value = fmt.p_value(run.sign_flip_p)
            notes.append(f"{run.name}: exact sign-flip test of the same pairs: {p_value}.")
    notes += [
        f"{run.name}: on the same images, it alone is right on {run.images.only_a} and "
        f"{first} alone on {run.images.only_b} (the kept seeds): "
        f"McNemar's exact test {fmt.p_value(run.images.p_value)}."
        for run in comparison.runs[1:]
        if run.images is not None
    ]
    reasons = {"paired t-test": "same seeds", "Welch's t-test": "other seeds, not paired"}
    notes[1:1] = [
        f"Test: {test} ({reasons[test]}): {', '.join(names)}." for test, names in tests.items()
    ]
    return notes + [f"Warning: {warning}." for warning in comparison.warnings]
