"""From paths to a report: read, skip what is of no interest, check, fix, write."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from didact._core.i18n import Text
from didact.check.files.document import Document, is_python
from didact.check.files.finding_files import find_files
from didact.check.files.module import is_module, read_module
from didact.check.files.opening import open_document
from didact.check.files.source import Encoding, UnreadableError, decode
from didact.check.files.write import replace_file, unified_diff
from didact.check.findings.finding import Finding, Safety
from didact.check.findings.meta import NOT_PARSED
from didact.check.findings.report import Diagnostic, FileResult, Report
from didact.check.rules import all_rules
from didact.check.running.analysis import (
    Analyse,
    CheckContext,
    engine,
    engine_for_text,
    findings_in,
)
from didact.check.running.fix import SAFE, fix_document
from didact.check.wanted.config import Settings

if TYPE_CHECKING:
    from didact.check.engine.project import Project

Mode = Literal["report", "fix", "diff"]

FILES_FOR_ONE_MORE_PROCESS = 24
"""Below this many interesting files for each process, starting it costs more than it gains."""
FILES_FOR_SCANNING_TOGETHER = 2000
"""From so many files on their bytes are read by all cores."""

_MENTIONS_US = re.compile(rb"noqa[^\n]*KD[0-9]|#\s*kd:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Options:
    """How to go about a run.

    Attributes:
        settings: What is wanted, and where.
        mode: Report only, fix the files, or show what fixing them would change.
        safety: Which fixes may be made.
        jobs: How many processes; 0 leaves it to the number of cores and files.
        analyse: The engine, if not the package's own.
        relevant: The byte scan, if not the package's own.
    """

    settings: Settings = field(default_factory=Settings)
    mode: Mode = "report"
    safety: frozenset[Safety] = SAFE
    jobs: int = 0
    analyse: Analyse | None = None
    relevant: Callable[[bytes], bool] | None = None


def check_paths(paths: Sequence[str | os.PathLike[str]], options: Options | None = None) -> Report:
    """Check files and folders.

    Raises:
        UsageError: A path does not exist.
    """
    options = options or Options()
    names = [os.fspath(path) for path in paths]
    files = find_files(names, exclude=options.settings.exclude, root=options.settings.root)
    scans = [scan for scan in _scan_all(files, options) if scan is not None]
    interesting = [scan.path for scan in scans if scan.interesting]
    project = _project(scans, options)
    jobs = options.jobs or min(os.cpu_count() or 1, len(interesting) // FILES_FOR_ONE_MORE_PROCESS)
    if jobs > 1 and len(interesting) > 1:
        with _pool(jobs, options, project) as pool:
            checked = dict(pool.map(_check_in_worker, interesting, chunksize=4))
    else:
        checked = dict(check_file(path, options, project) for path in interesting)
    return Report(tuple(checked.get(path) or FileResult(_shown(path)) for path in files))


@dataclass(frozen=True, slots=True)
class Scan:
    """What a look at the bytes of a file tells.

    Attributes:
        path: The file.
        imports: The modules that it imports.
        interesting: Whether there is something to check in it, not only a way to other files.
    """

    path: str
    imports: frozenset[str]
    interesting: bool = True


def _scan_all(files: Sequence[str], options: Options) -> list[Scan | None]:
    scan = partial(_scan, options=options)
    jobs = options.jobs or (os.cpu_count() or 1)
    if jobs > 1 and len(files) >= FILES_FOR_SCANNING_TOGETHER:
        with _pool(jobs, options, None) as pool:
            return list(pool.map(scan, files, chunksize=64))
    return [scan(path) for path in files]


def _scan(path: str, options: Options) -> Scan | None:
    """The imports of a file that has something to look at; what cannot be read is told of."""
    try:
        data = Path(path).read_bytes()
    except OSError:
        return Scan(path, frozenset())
    interesting = is_relevant(data, options)
    if not interesting and not path.endswith("__init__.py"):
        return None
    from didact.check.engine.project import imports_in

    imports = imports_in(data) if is_module(path) else frozenset[str]()
    return Scan(path, imports, interesting)


def _project(scans: Sequence[Scan], options: Options) -> Project | None:
    """The files as modules that import each other; nothing where there is but one."""
    modules = {_shown(scan.path): scan.imports for scan in scans if is_module(scan.path)}
    if len(modules) < 2 or options.analyse is not None:
        return None
    from didact.check.engine.project import Project

    return Project(modules, read_module)


_SHARED: dict[str, tuple[Options, Project | None]] = {}
"""What a worker is given once, when it starts."""


def _start_worker(options: Options, project: Project | None) -> None:
    _SHARED["given"] = options, project


def _check_in_worker(path: str) -> tuple[str, FileResult]:
    return check_file(path, *_SHARED["given"])


def check_file(
    path: str, options: Options, project: Project | None = None
) -> tuple[str, FileResult]:
    """Check one file, and fix it if that is wanted. Nothing is raised for any file."""
    try:
        data = Path(path).read_bytes()
        result = check_bytes(data, path, options, project)
        if options.mode == "fix" and result.data is not None:
            replace_file(Path(path), data, result.data)
    except OSError as error:
        reason = Text("cannot be read or written: {e}", "无法读取或写入：{e}").format(e=error)
        return path, _unread(path, UnreadableError(reason), options)
    return path, result


def check_bytes(
    data: bytes, path: str, options: Options, project: Project | None = None
) -> FileResult:
    """Check the content of one file, and fix it if that is wanted; nothing is written."""
    shown, context = _shown(path), _context(path, options, project)
    try:
        text, encoding = decode(data, python=is_python(path))
        document = open_document(path, text)
    except UnreadableError as error:
        return _unread(path, error, options)
    fixed = None
    if options.mode != "report":
        fixed = _fixed(document, encoding, shown, context, options)
    return fixed or FileResult(
        shown, _diagnostics(shown, document, findings_in(document, shown, context))
    )


def _fixed(
    document: Document, encoding: Encoding, shown: str, context: CheckContext, options: Options
) -> FileResult | None:
    """The result of fixing; nothing where there was nothing to fix."""
    fixed = fix_document(document, shown, context, allowed=options.safety)
    text = fixed.document.text
    if text == document.text:
        return None
    try:
        data = encoding.encode(text)
        if decode(data, python=is_python(shown)) != (text, encoding):
            return None
    except (UnicodeError, UnreadableError):
        return None  # the fix has letters that the file's encoding lacks
    diff = unified_diff(document.text, text, shown)
    diagnostics = _diagnostics(shown, fixed.document, fixed.findings)
    return FileResult(shown, diagnostics, fixed.count, diff, data)


def _diagnostics(
    shown: str, document: Document, findings: Sequence[Finding]
) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(shown, *document.locate(finding), document.source_line(finding))
        for finding in findings
    )


def _unread(path: str, error: UnreadableError, options: Options) -> FileResult:
    shown = _shown(path)
    if not options.settings.wants(NOT_PARSED, path):
        return FileResult(shown)
    return FileResult(shown, (Diagnostic(shown, None, error.finding(), ""),))


def _context(path: str, options: Options, project: Project | None = None) -> CheckContext:
    wants = partial(options.settings.wants, path=path)
    if options.analyse is not None:
        return CheckContext(options.analyse, wants=wants)
    return CheckContext(engine(project), engine_for_text(), wants, _is_known)


def _is_known(prefix: str) -> bool:
    return any(code.startswith(prefix) for code in all_rules())


def is_relevant(data: bytes, options: Options) -> bool:
    """Whether the bytes hold a name of interest, or a comment that speaks to the checker."""
    if _relevant(options)(data):
        return True
    lowered = data.lower()  # looking for two plain words first is much faster
    return (b"noqa" in lowered or b"kd:" in lowered) and _MENTIONS_US.search(data) is not None


def _relevant(options: Options) -> Callable[[bytes], bool]:
    if options.relevant is not None:
        return options.relevant
    from didact.check.engine.index import relevant

    return relevant


def check_source(
    source: str, path: str = "<string>", *, options: Options | None = None
) -> list[Finding]:
    """The findings in one text, sorted; comments in it are obeyed.

    Args:
        source: Python, or what the suffix of ``path`` says: a notebook's JSON, or Markdown.
        path: The name to judge the text by; nothing is read from it.
        options: Which codes are wanted.
    """
    options = options or Options()
    try:
        document = open_document(path, source)
    except UnreadableError as error:
        return [error.finding()] if options.settings.wants(NOT_PARSED, path) else []
    findings = findings_in(document, path, _context(path, options))
    return [document.locate(finding)[1] for finding in findings]


def _shown(path: str) -> str:
    return path.replace(os.sep, "/")


def _pool(jobs: int, options: Options, project: Project | None) -> ProcessPoolExecutor:
    alone = threading.active_count() == 1  # forking beside other threads may deadlock
    method = "fork" if alone and sys.platform == "linux" else "spawn"
    return ProcessPoolExecutor(
        jobs,
        mp_context=get_context(method),
        initializer=_start_worker,
        initargs=(options, project),
    )
