"""``didact check``: find the mistakes in distillation code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXIT_FOUND = 1

_FORMATS = "text, concise, json, sarif, github, gitlab or junit."


def command(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Files and folders; - reads stdin. Default: this folder."),
    ] = None,
    select: Annotated[
        list[str] | None, typer.Option(help="Codes or prefixes to report, such as KD1,KD203.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(help="Codes or prefixes not to report.")
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Make the safe fixes.")] = False,
    unsafe_fixes: Annotated[
        bool, typer.Option("--unsafe-fixes", help="Also make fixes that change the numbers.")
    ] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show what fixing would change, and change nothing.")
    ] = False,
    form: Annotated[str, typer.Option("--format", help=_FORMATS)] = "text",
    output: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    statistics: Annotated[
        bool, typer.Option("--statistics", help="Count by code instead of listing.")
    ] = False,
    baseline: Annotated[
        Path | None, typer.Option(help="Leave out the findings that this file knows.")
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Write the findings to the baseline.")
    ] = False,
    stdin_filename: Annotated[
        str | None, typer.Option(help="The name to judge stdin by, such as loss.py.")
    ] = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Exit with 0 whatever is found.")
    ] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh; default from the locale.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="A pyproject.toml, in place of the nearest one.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(help="Files and folders to leave out, as in .gitignore.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0 chooses by files and cores.")] = 0,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Keep answers for the next run, or do not.")
    ] = True,
    lsp: Annotated[bool, typer.Option("--lsp", help="Serve an editor over stdio.")] = False,
) -> None:
    """Find the mistakes in distillation code: swapped arguments, a missing log, a lost T**2.

    Exit code 0: nothing found; 1: something found; 2: wrong usage, or didact itself failed.

    For example: didact check src/ --fix
    """
    from didact.cli._check import Request, run
    from didact.cli._speech import asked

    request = Request(
        paths=paths or ["."],
        select=select or [],
        ignore=ignore or [],
        exclude=exclude or [],
        fix=fix,
        unsafe_fixes=unsafe_fixes,
        diff=diff,
        form=form,
        output=output,
        statistics=statistics,
        baseline=baseline,
        write_baseline=write_baseline,
        stdin_filename=stdin_filename,
        lang=asked(lang),
        config=config,
        jobs=jobs,
        lsp=lsp,
        cache=cache,
    )
    code = run(request)
    raise typer.Exit(0 if exit_zero and code == EXIT_FOUND else code)
