"""Floor 6: the command line. One file per command; each imports its floor only when it runs."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn

import typer

from didact import __version__
from didact._core.errors import DidactError
from didact._core.optional import explained
from didact._core.text import printable
from didact.cli._help import SpeakingCommand, SpeakingGroup, usage_error
from didact.cli._speech import Lang, ask, language_of, said, speak, spoken

COMMANDS = (
    "distill",
    "learn",
    "predict",
    "report",
    "compare",
    "runs",
    "list",
    "check",
    "explain",
    "probe",
    "cache",
    "web",
)
"""The commands, in the order of the help page. ``didact NAME`` is ``didact.cli.NAME.command``."""

INTERRUPTED, BROKEN_PIPE = 130, 141

_COMPLAINT: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
"""What typer raises about a command line; older ones have it from click."""


def build(arguments: list[str]) -> typer.Typer:
    """The application with the one command that ``arguments`` names, or with all of them."""
    speak(language_of(arguments))
    app = typer.Typer(
        name="didact",
        cls=SpeakingGroup,
        help="Pass knowledge from a teacher to a student, and prove that it did.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    plain = [a for a in arguments if a not in ("en", "zh")]
    named = next((a for a in plain if not a.startswith("-")), None)
    for name in (named,) if named in COMMANDS else COMMANDS:
        module = f"{__name__}.{name}"
        if find_spec(module) is not None:
            app.command(name, cls=SpeakingCommand)(import_module(module).command)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"didact {__version__}\n")
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
    lang: Lang = None,
) -> None:
    """Options that stand before the command."""
    del version
    ask(lang)
    speak(lang or language_of(sys.argv[1:]))


def main() -> None:
    """Run ``didact``; what the user got wrong ends in one message and exit code 2.

    So does what the machine got wrong: a full disk, a folder that cannot be read. A reader that
    has gone, as in ``didact list losses | head -1``, is no error and ends in silence.
    """
    _mend_streams()
    try:
        try:
            _answer(sys.argv[1:])
        finally:
            if not sys.stdout.closed:  # the language server closes it when it is told to go
                sys.stdout.flush()
    except DidactError as error:
        _fail(said(f"error: {printable(str(error))}"), error.exit_code)
    except ModuleNotFoundError as error:
        missing = explained(error)
        if missing is None:
            raise
        _fail(said(f"error: {missing}"), missing.exit_code)
    except BrokenPipeError:
        _let_go_of_streams()
        _fail("", BROKEN_PIPE)
    except OSError as error:
        of = f" {error.filename}" if error.filename else " what was to be printed"
        reason = error.strerror or str(error)
        _let_go_of_streams()
        text = f"error: {printable(f'cannot read or write{of}: {reason}')}"
        _fail(said(text), DidactError.exit_code)
    except RecursionError:
        _fail(said("error: something is nested too deeply to be read"), DidactError.exit_code)
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        _fail(said("error: there is not enough memory for this"), DidactError.exit_code)
    except KeyboardInterrupt:
        _fail(said("interrupted"), INTERRUPTED)


def _is_out_of_memory(error: Exception) -> bool:
    """Torch says it by a RuntimeError, of its own kind on a GPU alone."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("allocate memory", "not enough memory", "calculation overflowed")
    return any(some in str(error) for some in words)


def _answer(arguments: list[str]) -> None:
    """Run a command; typer speaks English alone, so its complaints are said here."""
    app = build(arguments)
    if spoken() == "en":
        app()
        return
    try:
        code = app(standalone_mode=False)
    except _COMPLAINT as error:
        shows_help = not error.format_message()
        _fail(usage_error(error) if not shows_help else "", error.exit_code)
    except typer.Abort:
        _fail(said("interrupted"), INTERRUPTED)
    raise SystemExit(code if isinstance(code, int) else 0)


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
