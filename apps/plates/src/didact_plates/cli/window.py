"""``didact-plates window``: photographs in a window of the desktop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from didact_plates.cli.help import Lang


def command(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PHOTOGRAPH", help="Photographs and folders to begin with."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="A folder of models that didact-plates train wrote.")
    ] = None,
    lang: Lang = None,
) -> None:
    """Show photographs and their plates in a window.

    Arrow keys go along, and so does dragging the photograph to a side.
    """
    from importlib.util import find_spec

    from didact_plates.errors import PlatesError
    from didact_plates.models import finder
    from didact_plates.texts import say, speak

    speak(lang)
    if find_spec("_tkinter") is None:
        raise PlatesError(
            say("this Python has no tkinter (on Debian: python3-tk); use: didact-plates page")
        )
    from didact_plates.window import Window

    Window(finder(model), files or []).run()
