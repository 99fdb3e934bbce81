"""``didact-plates train``: the shipped reader once more, or a better one from real data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from didact_plates.cli.help import Lang


def command(
    output: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where the models are written to.")
    ],
    real: Annotated[
        Path | None,
        typer.Option(help="What didact-plates fetch wrote: a folder, or the file in it."),
    ] = None,
    photographs: Annotated[
        Path | None,
        typer.Option(help="A folder of cut plates, each file named by its text, as 京A12345.jpg."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few seconds, to see that all works.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and plates.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    lang: Lang = None,
) -> None:
    """Train a reader: from drawn plates alone, or also from real characters and plates.

    A run that was stopped goes on when it is started again. Use the result with --model FOLDER.

    For example: didact-plates train models --real plates-data
    """
    import torch

    from didact_plates.fetching import NAME
    from didact_plates.texts import speak
    from didact_plates.train import main

    speak(lang)
    torch.set_num_threads(threads)
    if real is not None and real.is_dir():
        real = real / NAME
    raise typer.Exit(
        main(output, real, photographs, quick=quick, seed=seed, tell=lambda line: typer.echo(line))
    )
