"""``didact list``: the data sets, models, losses and methods there are."""

from __future__ import annotations

from typing import Annotated

import typer

from didact.cli._speech import Lang, speak

KINDS = ("data", "models", "losses", "methods")


def command(
    kind: Annotated[str, typer.Argument(help="data, models, losses or methods")],
    lang: Lang = None,
) -> None:
    """List the data sets, models, losses or class-incremental methods that can be named."""
    speak(lang)
    from didact._core.errors import UnknownNameError
    from didact._core.lookup import suggest
    from didact.cli._listing import show

    if kind not in KINDS:
        raise UnknownNameError(f"there is no list of {kind!r}; {suggest(kind, KINDS)}")
    show(kind)
