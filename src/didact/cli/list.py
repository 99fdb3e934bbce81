"""``didact list``: the data sets, models, losses and methods there are."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from didact.cli._speech import Lang, speak


class Format(StrEnum):
    """How the list is printed."""

    table = "table"
    json = "json"


KINDS = ("data", "models", "losses", "methods")


def command(
    kind: Annotated[str, typer.Argument(help="data, models, losses or methods")],
    output: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.table,
    lang: Lang = None,
) -> None:
    """List the data sets, models, losses or class-incremental methods that can be named.

    For example: didact list losses --format json
    """
    speak(lang)
    import json

    from didact._core.errors import UnknownNameError
    from didact._core.lookup import suggest
    from didact.cli._listing import rows, show

    if kind not in KINDS:
        raise UnknownNameError(f"there is no list of {kind!r}; {suggest(kind, KINDS)}")
    if output is Format.json:
        typer.echo(json.dumps(rows(kind), indent=2, ensure_ascii=False, default=str))
    else:
        show(kind)
