"""``didact compare``: runs side by side."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from didact.cli._speech import Lang, said, speak


class Format(StrEnum):
    """How the comparison is printed."""

    table = "table"
    json = "json"
    markdown = "markdown"
    csv = "csv"
    latex = "latex"


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Run folders of one kind, or the folder of a grid; the first run is the baseline.",
        ),
    ],
    metric: Annotated[
        str | None,
        typer.Option(
            help="What the first run is judged by, by default; test_accuracy, nll, ece, brier, "
            "agreement_top1, agreement_kl, mean_average_precision, mae, rmse, train_seconds. Of "
            "learn: average_incremental, last, forgetting or backward_transfer."
        ),
    ] = None,
    arm: Annotated[
        str | None,
        typer.Option(help="teacher, alone or distilled (default); of learn, one method of each."),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.table,
    picture: Annotated[
        Path | None,
        typer.Option(help="Draw the means and intervals too: FILE.svg, FILE.png or FILE.pdf."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Put runs side by side and test each of them against the first.

    Runs with the same seeds are compared by a paired t-test, others by Welch's t-test; several
    tests are corrected by Holm's method.

    For example: didact compare runs/kd runs/dist runs/dkd --format latex
    """
    speak(lang)

    from didact.cli._console import console
    from didact.report import (
        compare,
        comparison_csv,
        comparison_json,
        comparison_latex,
        comparison_markdown,
        comparison_picture,
        comparison_table,
    )

    found = compare(runs, metric=metric, arm=arm)
    if picture is not None:
        comparison_picture(found, picture)
    if output is Format.json:
        typer.echo(json.dumps(comparison_json(found), indent=2))
    elif output is not Format.table:
        written = {
            Format.markdown: comparison_markdown,
            Format.csv: comparison_csv,
            Format.latex: comparison_latex,
        }
        text = written[output](found)
        typer.echo(said(text) if output is Format.markdown else text, nl=False)
    else:
        shown = console()
        shown.print(comparison_table(found, shown.width))
