"""``didact runs``: run folders as one table, a file, or a database."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from didact.cli._speech import Lang, said, speak

if TYPE_CHECKING:
    import pandas as pd

    from didact.runs import Records


class Table(StrEnum):
    """Which table goes into a file."""

    wide = "wide"
    runs = "runs"
    settings = "settings"
    results = "results"
    epochs = "epochs"
    predictions = "predictions"


def command(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN]...", help="Run folders, or folders that hold some."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="Read the runs from a database instead."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|URL",
            help="Write FILE.csv, FILE.parquet, or all tables into a database: "
            "sqlite:///runs.db, mysql+pymysql://user:password@host/database.",
        ),
    ] = None,
    table: Annotated[
        Table,
        typer.Option(help="Which table goes into a file; wide is one row a run, arm and seed."),
    ] = Table.wide,
    lang: Lang = None,
) -> None:
    """Collect runs of distill and learn: print them, or write them where they can be queried.

    For example: didact runs runs/ --to sqlite:///runs.db
    """
    speak(lang)
    from didact._core.errors import UsageError
    from didact.runs import read_runs, read_sql, write_file, write_sql

    if bool(runs) == (source is not None):
        raise UsageError("name run folders, or a database with --from; one of the two")
    records = read_sql(source) if source is not None else read_runs(runs or [])
    if to is None:
        _print(records)
        return
    if "://" in to:
        write_sql(records, to)
    else:
        frame: pd.DataFrame = records.wide() if table == "wide" else records.named()[table]
        write_file(frame, Path(to))
    typer.echo(said(f"{len(records.runs)} runs written"))


def _print(records: Records) -> None:
    from rich.markup import escape
    from rich.table import Table as Grid

    from didact.cli._console import console

    grid = Grid(box=None, header_style="bold")
    for title in ("run", "kind", "data", "started", "arm", "seeds", "accuracy, %"):
        justify: Literal["left", "right"] = "right" if title in ("seeds", "accuracy, %") else "left"
        grid.add_column(title, justify=justify, overflow="fold", no_wrap=title != "run")
    wide = records.wide()
    for row in records.runs.sort_values("started").itertuples():
        arms = wide[wide["run"] == row.run]
        name = escape(Path(str(row.folder)).name)
        started = "–" if row.started.year == 1970 else f"{row.started:%Y-%m-%d %H:%M}"
        about = (name, str(row.kind), escape(str(row.data)), started)
        if arms.empty:
            grid.add_row(*about, "not finished", "", "")
        for number, (arm, found) in enumerate(arms.groupby("arm", sort=False)):
            head = about if not number else ("", "", "", "")
            grid.add_row(*head, escape(str(arm)), str(len(found)), _result(found))
    console().print(grid)


JUDGED_BY = {
    "test_accuracy": "{:.2f}",
    "validation_accuracy": "{:.2f} (validation)",
    "last": "{:.2f}",
    "mean_average_precision": "mAP {:.2f}",
    "bits_per_byte": "{:.3f} bits per byte",
    "mae": "MAE {:.4g}",
}


def _result(found: pd.DataFrame) -> str:
    """The mean over seeds of what the arm is judged by."""
    for name, form in JUDGED_BY.items():
        if name in found and found[name].notna().any():
            return form.format(
                found[name].mean() * (1 if name in ("mae", "bits_per_byte") else 100)
            )
    return "–"
