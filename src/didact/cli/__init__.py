"""Floor 6: the command line. One file per command; each imports its floor only when it runs."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

import typer

from didact import __version__
from didact._core.errors import DidactError

COMMANDS = (
    "distill",
    "learn",
    "report",
    "compare",
    "runs",
    "list",
    "check",
    "explain",
    "probe",
    "web",
)
"""The commands, in the order of the help page. ``didact NAME`` is ``didact.cli.NAME.command``."""

INTERRUPTED = 130


def build(arguments: list[str]) -> typer.Typer:
    """The application with the one command that ``arguments`` names, or with all of them."""
    app = typer.Typer(
        name="didact",
        help="Pass knowledge from a teacher to a student, and prove that it did.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    named = next((a for a in arguments if not a.startswith("-")), None)
    for name in (named,) if named in COMMANDS else COMMANDS:
        module = f"{__name__}.{name}"
        if find_spec(module) is not None:
            app.command(name)(import_module(module).command)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"didact {__version__}\n")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    """Options that stand before the command."""


def main() -> None:
    """Run ``didact``; what the user got wrong ends in one message and exit code 2."""
    try:
        build(sys.argv[1:])()
    except DidactError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        raise SystemExit(INTERRUPTED) from None
