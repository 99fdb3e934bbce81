"""``didact compare``: runs side by side."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How the comparison is printed."""

    table = "table"
    json = "json"
    markdown = "markdown"


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN RUN", help="Run folders, two or more; the first is the baseline."
        ),
    ],
    metric: Annotated[
        str,
        typer.Option(
            help="test_accuracy, nll, ece, brier, agreement_top1, agreement_kl or train_seconds."
        ),
    ] = "test_accuracy",
    arm: Annotated[str, typer.Option(help="teacher, alone or distilled.")] = "distilled",
    output: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.table,
) -> None:
    """Put runs side by side and test each of them against the first.

    Runs with the same seeds are compared by a paired t-test, others by Welch's t-test.
    """
    from rich.console import Console

    from didact.report import compare, comparison_json, comparison_markdown, comparison_table

    found = compare(runs, metric=metric, arm=arm)
    if output is Format.json:
        typer.echo(json.dumps(comparison_json(found), indent=2))
    elif output is Format.markdown:
        typer.echo(comparison_markdown(found), nl=False)
    else:
        Console().print(comparison_table(found))
