"""The command line: ``didact-plates photo.jpg ...``, and its commands by name.

One file per command; each imports what it needs only when it runs.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import typer

from didact import DidactError
from didact_plates import __version__
from didact_plates.cli.help import Lang, SpeakingCommand, SpeakingGroup, run_spoken
from didact_plates.errors import PlatesError
from didact_plates.texts import language_of, say, speak

COMMANDS = ("read", "window", "page", "fetch", "train")
"""By name, in the order of the help page; ``didact_plates.cli.NAME.command``."""

INTERRUPTED, BROKEN_PIPE = 130, 141


def build() -> typer.Typer:
    """The application with all of its commands."""
    app = typer.Typer(
        name="didact-plates",
        cls=SpeakingGroup,
        help="Read Chinese licence plates from photographs.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    for name in COMMANDS:
        app.command(name, cls=SpeakingCommand)(import_module(f"{__name__}.{name}").command)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"didact-plates {__version__}\n")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
    lang: Lang = None,
) -> None:
    """Options that stand before the command."""
    del version
    speak(lang)


def main() -> None:
    """Run ``didact-plates``; what the user got wrong ends in one sentence and exit code 2.

    So does what the machine got wrong, such as a full disk. A reader that has gone, as in
    ``didact-plates photos | head -1``, is no error and ends in silence.
    """
    arguments = sys.argv[1:]
    _mend_streams()
    speak(language_of(arguments))
    try:
        try:
            run_spoken(build(), with_command(arguments))
        finally:
            sys.stdout.flush()
    except (PlatesError, DidactError) as error:
        _fail(say("error: {error}", error=error), error.exit_code)
    except BrokenPipeError:
        _let_go_of_streams()
        _fail("", BROKEN_PIPE)
    except OSError as error:
        file = error.filename or say("what was to be printed")
        reason = error.strerror or str(error)
        _let_go_of_streams()
        text = say("cannot read or write {file}: {reason}", file=file, reason=reason)
        _fail(say("error: {error}", error=text), PlatesError.exit_code)
    except MemoryError:
        text = say("there is not enough memory for this")
        _fail(say("error: {error}", error=text), PlatesError.exit_code)
    except KeyboardInterrupt:
        _fail(say("interrupted"), INTERRUPTED)


def with_command(arguments: list[str]) -> list[str]:
    """The arguments with ``read`` in them where they name no command: what is read is named first.

    A photograph that is called like a command is named as ``./train``.
    """
    rest = list(arguments)
    while rest and rest[0].partition("=")[0] == "--lang":
        del rest[: 1 if "=" in rest[0] else 2]
    if not rest or rest[0] in (*COMMANDS, "--help", "--version"):
        return arguments
    return ["read", *arguments]


def _fail(message: str, code: int) -> NoReturn:
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{message}\n" if message else "")
    raise SystemExit(code) from None


def _let_go_of_streams() -> None:
    """At its end Python would try once more to write what could not be written, and complain."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _mend_streams() -> None:
    """Streams that are closed swallow what is printed; names that are no text are shown in part."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
