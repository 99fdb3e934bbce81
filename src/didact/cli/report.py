"""``didact report``: render the page of a run again, or verify the run's files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from didact.cli._speech import Lang, said, speak, spoken

EXIT_DAMAGED = 2


def command(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="The folder that didact distill or didact learn wrote."),
    ],
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Compare each file with its digest instead; 2 if one is damaged."
        ),
    ] = False,
    lang: Lang = None,
) -> None:
    """Render report.html of a run again and print its path.

    For example: didact report runs/demo --verify
    """
    speak(lang)
    if verify:
        _verify(run)
        return
    from didact.report import render

    typer.echo(render(run, language=spoken()))


def _verify(run: Path) -> None:
    from didact._core.text import printable
    from didact.train import verify_run

    everything = verify_run(run)
    found = [entry for entry in everything if entry.checked]
    for entry in found:
        typer.echo(f"{said('DAMAGED') if entry.problem else 'ok':8}{entry.file}")
        if entry.problem:
            typer.echo(f"        {said(entry.problem)}")
    if others := [entry.file for entry in everything if not entry.checked]:
        typer.echo(said(f"not checked, for they have no digest: {printable(', '.join(others))}"))
    damaged = sum(bool(entry.problem) for entry in found)
    typer.echo(said(f"{len(found)} checked, {damaged} damaged"))
    if damaged:
        raise typer.Exit(EXIT_DAMAGED)
