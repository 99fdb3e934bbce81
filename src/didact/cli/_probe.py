"""What ``didact probe`` does."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from didact._core.errors import UsageError
from didact._core.i18n import Language, Text, choose_language
from didact._core.lookup import is_import_path, load, suggest
from didact.losses import CARDS
from didact.probe import Report, json_of, junit_of, probe, rendered, text_of

_FORMATS = ("table", "json", "junit")
_NARROWEST = 60


@dataclass(frozen=True)
class Request:
    """The options as given."""

    loss: str
    arguments: Sequence[str]
    init: Sequence[str]
    roles: dict[str, str | None]
    kind: str | None
    layout: str | None
    ignore: Sequence[str]
    form: str
    lang: str | None
    output: Path | None


def run(request: Request) -> bool:
    """Probe, write the report, and say whether every law holds.

    Raises:
        UsageError: An option is not understood, or the loss cannot be bound.
        UnknownNameError: The loss cannot be imported.
    """
    language = choose_language(request.lang)
    if request.form not in _FORMATS:
        raise UsageError(f"format is {request.form!r}; {suggest(request.form, _FORMATS)}")
    arguments, init = values(request.arguments, "--arg"), values(request.init, "--init")
    loss = found(request.loss, language)
    options: dict[str, Any] = {**request.roles, "kind": request.kind, "layout": request.layout}
    report = probe(loss, arguments=arguments, init=init, ignore=request.ignore, **options)
    _write(report, request, language)
    return report.ok


def found(name: str, language: Language) -> object:
    """The object that is named; a short name is one of didact's own losses."""
    if not is_import_path(name) and name in CARDS:
        return CARDS[name].function
    module = name.rpartition(":")[0] or name
    said = Text("importing and running {module}", "正在导入并运行 {module}").format(module=module)
    sys.stderr.write(said.pick(language) + "\n")
    with redirect_stdout(sys.stderr):
        return load(name, what="loss")


def values(given: Sequence[str], option: str) -> dict[str, Any]:
    """``NAME=VALUE`` pairs; a value that is no Python literal is a text.

    Raises:
        UsageError: No ``=`` in a pair.
    """
    read = {}
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"{option} is {pair!r}; expected NAME=VALUE, such as T=4")
        try:
            read[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            read[name] = text
    return read


def _write(report: Report, request: Request, language: Language) -> None:
    if request.form == "table" and request.output is None:
        console = Console()
        console.width = max(_NARROWEST, console.width)
        console.print(rendered(report, language))
        return
    make = {"table": text_of, "json": json_of, "junit": junit_of}[request.form]
    text = make(report, language)
    if request.output is None:
        sys.stdout.write(text)
        return
    try:
        request.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{request.output} cannot be written: {error}") from error
