"""``didact-plates photo.jpg ...``: the plates of photographs, films and cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from didact_plates.cli.help import Lang


def command(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTOGRAPH",
            help="Photographs, folders of them, films, and numbers of cameras.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a list as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table as CSV.")] = False,
    draw: Annotated[
        Path | None,
        typer.Option(help="Write the photographs with the plates drawn in, into this folder."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A folder of models that didact-plates train wrote.")
    ] = None,
    least: Annotated[
        float,
        typer.Option(
            "--least", min=0.0, max=1.0, help="Confidence below which a reading is no plate."
        ),
    ] = 0.2,
    every: Annotated[
        int, typer.Option(min=1, help="Of the frames of a film, which one is looked at.")
    ] = 10,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    lang: Lang = None,
) -> None:
    """Print the plates of photographs: text, colour, place, confidence and time.

    What cannot be read is said on standard error, the others are read; the exit code is then 2.

    For example: didact-plates photos/ --csv > plates.csv
    """
    from didact_plates.cli.reading import read_all
    from didact_plates.errors import PlatesError
    from didact_plates.texts import say, speak

    speak(lang)
    if as_json and as_csv:
        raise PlatesError(say("--json and --csv were both given; choose one"))
    form = "json" if as_json else "csv" if as_csv else "text"
    problems = read_all(
        sources, form=form, draw=draw, model=model, least=least, every=every, threads=threads
    )
    if problems:
        raise typer.Exit(PlatesError.exit_code)
