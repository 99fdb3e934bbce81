"""``didact-plates fetch``: real characters to learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from didact_plates.cli.help import Lang


def command(
    target: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where the characters are kept.")
    ] = Path("plates-data"),
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A folder with chars2.7z and charsChinese.7z, where there is no network."
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Fetch EasyPR's character set, 13,136 pictures, by checksum.

    Train with it afterwards: didact-plates train models --real plates-data
    """
    from didact_plates.fetching import NAME, fetch
    from didact_plates.texts import say, speak

    speak(lang)
    found = fetch(target, source)
    typer.echo(
        say(
            "{file}: {characters} characters of {classes} classes, {test} of them for tests",
            file=target / NAME,
            **found,
        )
    )
