"""What ``didact check`` does with its options."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import get_terminal_size

from didact._core.errors import UsageError
from didact._core.i18n import Text, choose_language
from didact._core.lookup import suggest
from didact.check.findings.meta import NOT_PARSED
from didact.check.findings.report import Report
from didact.check.formats import FORMATS, Style, render
from didact.check.rules import all_rules
from didact.check.running.fix import SAFE, SAFE_AND_UNSAFE
from didact.check.running.one import check_bytes
from didact.check.running.options import Mode, Options
from didact.check.running.run import check_paths
from didact.check.wanted.baseline import without_baseline, write_baseline
from didact.check.wanted.config import Settings, find_config, load_settings

STDIN = "-"
FOUND = 1
FAILED = 2
NARROWEST = 40
WIDEST = 120


@dataclass(frozen=True, slots=True)
class Request:
    """The options of the command line."""

    paths: list[str]
    select: list[str]
    ignore: list[str]
    exclude: list[str]
    fix: bool
    unsafe_fixes: bool
    diff: bool
    form: str
    output: Path | None
    statistics: bool
    baseline: Path | None
    write_baseline: bool
    stdin_filename: str | None
    lang: str | None
    config: Path | None
    jobs: int
    lsp: bool
    cache: bool

    @property
    def mode(self) -> Mode:
        """What to do about the fixes."""
        if self.diff:
            return "diff"
        return "fix" if self.fix or self.unsafe_fixes else "report"

    @property
    def from_stdin(self) -> bool:
        """Whether the text comes from stdin."""
        return STDIN in self.paths

    @property
    def stdin_path(self) -> str:
        """The name that the text from stdin goes by."""
        return self.stdin_filename or "<stdin>"


def run(request: Request) -> int:
    """Do it; the exit code.

    Raises:
        UsageError: Options, paths or a configuration that cannot be used.
    """
    _refuse_contradictions(request)
    settings = _settings(request)
    style = _style(request, settings)
    safety = SAFE_AND_UNSAFE if request.unsafe_fixes else SAFE
    options = Options(settings, request.mode, safety, request.jobs, cache=request.cache)
    if request.lsp:
        from didact.check.editors.lsp import serve

        return serve(options, style.language, partial(_settings_for, request))
    if request.from_stdin:
        data = sys.stdin.buffer.read()
        report = Report((check_bytes(data, request.stdin_path, options),))
    else:
        data = b""
        report = check_paths(request.paths, options)
    _refuse_to_overwrite(request, report)
    if request.write_baseline and request.baseline is not None:
        count = write_baseline(report, request.baseline)
        known = Text(f"{count} findings written to", f"已将 {count} 处问题写入")
        sys.stderr.write(f"{known.pick(style.language)} {request.baseline}\n")
        return FAILED if report.failed else 0
    if request.baseline is not None:
        report = without_baseline(report, request.baseline)
    return _show(request, report, data, style, settings)


def _show(request: Request, report: Report, data: bytes, style: Style, settings: Settings) -> int:
    if request.diff:
        _write_text("".join(result.diff for result in report.results))
        would = Text(f"{report.fixed} would be fixed", f"可修正 {report.fixed} 处")
        sys.stderr.write(would.pick(style.language) + "\n")
        return FAILED if report.failed else int(report.fixed > 0)
    rendered = render(report, request.form, style)
    if request.output is not None:
        try:
            request.output.write_text(rendered, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(f"{request.output} cannot be written: {error}") from error
    elif request.from_stdin and request.mode == "fix":
        _write_fixed(report, data)
        sys.stderr.write(rendered)
    else:
        _write_text(rendered)
    if report.failed:
        return FAILED
    return FOUND if report.fails(unread_fails=settings.selection.names(NOT_PARSED)) else 0


def _refuse_contradictions(request: Request) -> None:
    if request.form not in FORMATS:
        raise UsageError(f"there is no format {request.form!r}; {suggest(request.form, FORMATS)}")
    if request.statistics and request.form not in ("text", "concise", "json"):
        raise UsageError(
            f"--statistics has no place in the format {request.form}; use text, concise or json"
        )
    if request.from_stdin and len(request.paths) > 1:
        raise UsageError("- reads stdin and stands alone; give either - or paths")
    if request.stdin_filename is not None and not request.from_stdin:
        raise UsageError("--stdin-filename names the text from stdin; add - to read it")
    if request.select and not any(part.strip(" ,") for part in request.select):
        raise UsageError("--select holds no code; expected such as KD1,KD203, or leave it out")
    if request.write_baseline and request.baseline is None:
        raise UsageError("--write-baseline needs the file: --baseline FILE --write-baseline")


def _refuse_to_overwrite(request: Request, report: Report) -> None:
    """What is written must not take the place of what was checked, whatever its name."""
    written = request.baseline if request.write_baseline else request.output
    if written is None or not written.is_file():
        return
    for result in report.results:
        path = Path(result.path)
        if path.is_file() and path.samefile(written):
            raise UsageError(
                f"{written} is checked itself: the report would take its place; "
                "name another --output"
            )


def _settings(request: Request) -> Settings:
    if request.config is not None and not request.config.is_file():
        raise UsageError(f"there is no configuration file {request.config}")
    paths = [request.stdin_filename or "."] if request.from_stdin else request.paths
    return load_settings(
        request.config or find_config(paths),
        known=all_rules(),
        select=request.select,
        ignore=request.ignore,
        exclude=request.exclude,
    )


def _settings_for(request: Request, folder: Path) -> Settings:
    return _settings(replace(request, paths=[str(folder)]))


def _style(request: Request, settings: Settings) -> Style:
    if request.lang is None and settings.language is not None:
        language = settings.language
    else:
        language = choose_language(request.lang)
    terminal = request.output is None and sys.stdout.isatty()
    width = get_terminal_size((80, 24)).columns if terminal else 80
    return Style(
        language=language,
        colour=terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb",
        width=max(NARROWEST, min(WIDEST, width)),
        statistics=request.statistics,
    )


def _write_text(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _write_fixed(report: Report, data: bytes) -> None:
    """The fixed text in the bytes that came in; the same bytes where nothing was fixed."""
    for result in report.results:
        sys.stdout.buffer.write(data if result.data is None else result.data)
    sys.stdout.buffer.flush()
