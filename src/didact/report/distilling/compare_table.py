"""A comparison of runs as a table for the terminal, as Markdown, or as plain values for JSON."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from didact.report.distilling.compare import ComparedRun, Comparison
from didact.report.distilling.evidence import ARM_NAMES, direction
from didact.report.drawing import format as fmt

COLUMNS = ("Run", "Seeds", "Mean ± 95%", "Median", "Quartiles", "Difference", "p", "p, Holm")
SPREAD = ("Median", "Quartiles")
"""Left out in the terminal where long names and Holm's column need the room."""
LONG_NAME = 16
MOST_NOTED = 3
DIFFERENCE = COLUMNS.index("Difference")
_ENDLESS = Console(width=10_000)
STYLES = {"better": "bold green", "worse": "bold red", "unclear": ""}


def comparison_table(comparison: Comparison, width: int = 80) -> Group:
    """The table, what the tests were, and warnings.

    Args:
        comparison: What was compared.
        width: The columns there are; where the table needs more, each run has lines of its own.
    """
    table = _side_by_side(comparison)
    notes = Text("\n".join(_notes(comparison)), style="dim")
    needed = Measurement.get(_ENDLESS, _ENDLESS.options, table).maximum
    shown = [table] if needed <= width else _one_below_another(comparison)
    return Group(Text(_title(comparison), style="bold"), Text(), *shown, notes)


def _one_below_another(comparison: Comparison) -> list[Table | Text]:
    """A small table for each run: what its numbers are, and the numbers."""
    columns, parts = _columns(comparison), list[Table | Text]()
    for run in comparison.runs:
        name, *cells = _cells(run, comparison)
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("")
        table.add_column("", justify="right", no_wrap=True)
        for number, cell in enumerate(cells, start=1):
            if cell:
                style = _style(run, comparison) if number == DIFFERENCE else ""
                table.add_row(columns[number], Text(cell, style=style))
        parts += [Text(name, style="bold", overflow="fold"), table, Text()]
    return parts


def _side_by_side(comparison: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    columns = _columns(comparison)
    long_names = max(len(run.name) for run in comparison.runs) > LONG_NAME
    narrow = long_names and _has_holm(comparison)
    shown = [n for n, name in enumerate(columns) if not (narrow and name in SPREAD)]
    for number, column in ((n, columns[n]) for n in shown):
        overflow = "fold" if number == 0 else "ellipsis"
        justify = "left" if number == 0 else "right"
        table.add_column(column, justify=justify, overflow=overflow, no_wrap=number > 0)  # type: ignore[arg-type]
    for run in comparison.runs:
        cells = _cells(run, comparison)
        style = _style(run, comparison)
        written = [Text(c, style=style if n == DIFFERENCE else "") for n, c in enumerate(cells)]
        table.add_row(*(written[number] for number in shown))
    return table


def comparison_markdown(comparison: Comparison) -> str:
    """A table that GitHub shows, with the notes below it."""
    columns = _columns(comparison)
    lines = [f"**{_title(comparison)}**", "", "| " + " | ".join(columns) + " |"]
    lines.append("|---|" + "---:|" * (len(columns) - 1))
    for run in comparison.runs:
        cells = [cell.replace("|", "\\|") for cell in _cells(run, comparison)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *(f"{note}  " for note in _notes(comparison))]).rstrip() + "\n"


def comparison_csv(comparison: Comparison) -> str:
    """A row for each run, unrounded, without a word around it."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        ["run", "metric", "seeds", "mean", "low", "high", "median", "q1", "q3", "difference",
         "difference_low", "difference_high", "p", "p_holm", "test"]
    )  # fmt: skip
    for run in comparison.runs:
        found, whole = run.difference, run.quartiles
        rest = [None] * 4 if found is None else [found.mean, found.low, found.high, found.p_value]
        row = [
            run.name, comparison.measure.key, len(run.values), run.interval.mean,
            run.interval.low, run.interval.high, whole.median, whole.q1, whole.q3, *rest,
            run.holm_p, "" if found is None else found.test,
        ]  # fmt: skip
        writer.writerow(["" if value is None else value for value in row])
    return file.getvalue()


def comparison_latex(comparison: Comparison) -> str:
    r"""A ``tabular`` with the rules of ``booktabs``, the notes as comments."""
    columns = _columns(comparison)
    lines = [f"% {_latex(note)}" for note in (_title(comparison), *_notes(comparison))]
    lines += [rf"\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}", r"\toprule"]
    lines += [" & ".join(map(_latex, columns)) + r" \\", r"\midrule"]
    lines += [" & ".join(map(_latex, _cells(run, comparison))) + r" \\" for run in comparison.runs]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _latex(text: str) -> str:
    escaped = re.sub(r"([&%$#_{}])", r"\\\1", text.replace("\\", "/"))
    signs = {fmt.MINUS: "$-$", "±": r"$\pm$", "~": r"\textasciitilde{}", "^": r"\^{}"}
    for sign, written in (signs | {"<": "$<$", "\N{EN DASH}": "--"}).items():
        escaped = escaped.replace(sign, written)
    return escaped


def _columns(comparison: Comparison) -> tuple[str, ...]:
    """Without Holm's where there is one test at most."""
    return COLUMNS if _has_holm(comparison) else COLUMNS[:-1]


def _has_holm(comparison: Comparison) -> bool:
    return any(run.holm_p is not None for run in comparison.runs)


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
    arm = f"{ARM_NAMES[comparison.arm].lower()}, " if comparison.arm else ""
    return f"{comparison.measure.label}, {arm}on the {comparison.split} split of {comparison.data}"


def _cells(run: ComparedRun, comparison: Comparison) -> list[str]:
    scale, digits = comparison.measure.scale, comparison.measure.digits
    middle = fmt.number(run.quartiles.median * scale, digits)
    low, high = (fmt.number(q * scale, digits) for q in (run.quartiles.q1, run.quartiles.q3))
    mean = fmt.spread(run.interval, scale=scale, digits=digits)
    cells = [run.name, str(len(run.values)), mean, middle, f"{low}–{high}"]
    holm = [_p_value(run.holm_p)] if _has_holm(comparison) else []
    if run.difference is None:
        return [*cells, "", "", *holm]
    half = fmt.change_half_width(run.difference, scale, digits)
    change = f"{fmt.change(run.difference, scale, digits)} {half}".rstrip()
    return [*cells, change, _p_value(run.difference.p_value), *holm]


def _p_value(value: float | None) -> str:
    return fmt.p_value(value).removeprefix("p ").lstrip("= ")


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
        elif run.sign_flip_p is not None and len(comparison.runs) <= MOST_NOTED:
            p_value = fmt.p_value(run.sign_flip_p)
            notes.append(f"{run.name}: exact sign-flip test of the same pairs: {p_value}.")
    notes += [
        f"{run.name}: on the same images, it alone is right on {run.images.only_a} and "
        f"{first} alone on {run.images.only_b} (the kept seeds): "
        f"McNemar's exact test {fmt.p_value(run.images.p_value)}."
        for run in comparison.runs[1:]
        if run.images is not None and len(comparison.runs) <= MOST_NOTED
    ]
    reasons = {"paired t-test": "same seeds", "Welch's t-test": "other seeds, not paired"}
    notes[1:1] = [
        f"Test: {test} ({reasons[test]}): {', '.join(names)}." for test, names in tests.items()
    ]
    tested = sum(run.holm_p is not None for run in comparison.runs)
    if tested:
        notes.append(f"Holm: corrected for {tested} tests; the chance of any false alarm stays 5%.")
    return notes + [f"Warning: {warning}." for warning in comparison.warnings]
