"""One file: read, checked, fixed, and written where that is wanted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from didact._core.i18n import Text
from didact.check.files.document import Document, is_python
from didact.check.files.opening import open_document
from didact.check.files.source import Encoding, UnreadableError, decode, read_bytes
from didact.check.files.write import unified_diff
from didact.check.findings.finding import Finding
from didact.check.findings.meta import NOT_PARSED
from didact.check.findings.report import Diagnostic, FileResult
from didact.check.rules import all_rules
from didact.check.running.analysis import CheckContext, engine, engine_for_text, findings_in
from didact.check.running.fix import fix_document
from didact.check.running.options import Options

if TYPE_CHECKING:
    from didact.check.engine.project import Project


def check_file(path: str, options: Options, project: Project | None = None) -> FileResult:
    """Check one file; its fixes are made in memory. Nothing is raised for any file."""
    try:
        data = read_bytes(path)
    except OSError as error:
        return unread(path, cannot_be_used(error), options)
    return check_bytes(data, path, options, project)


def check_bytes(
    data: bytes, path: str, options: Options, project: Project | None = None
) -> FileResult:
    """Check the content of one file, and fix it if that is wanted; nothing is written."""
    name, context = shown(path), context_for(path, options, project)
    try:
        text, encoding = decode(data, python=is_python(path))
        document = open_document(path, text)
    except UnreadableError as error:
        return unread(path, error, options)
    fixed = None
    if options.mode != "report":
        with project.trying(name) if project is not None else nullcontext():
            fixed = _fixed(document, encoding, name, context, options)
    if fixed is not None:
        return replace(fixed, before=data)
    return FileResult(name, _diagnostics(name, document, findings_in(document, name, context)))


def _fixed(
    document: Document, encoding: Encoding, name: str, context: CheckContext, options: Options
) -> FileResult | None:
    """The result of fixing; nothing where there was nothing to fix."""
    fixed = fix_document(document, name, context, allowed=options.safety)
    text = fixed.document.text
    if text == document.text:
        return None
    try:
        data = encoding.encode(text)
        if decode(data, python=is_python(name)) != (text, encoding):
            return None
    except (UnicodeError, UnreadableError):
        return None  # the fix has letters that the file's encoding lacks
    diff = unified_diff(document.text, text, name)
    diagnostics = _diagnostics(name, fixed.document, fixed.findings)
    return FileResult(name, diagnostics, fixed.count, diff, data)


def _diagnostics(
    name: str, document: Document, findings: Sequence[Finding]
) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(name, *document.locate(finding), document.source_line(finding))
        for finding in findings
    )


def cannot_be_used(error: OSError) -> UnreadableError:
    """What the system says of a file."""
    reason = Text("cannot be read or written: {e}", "无法读取或写入：{e}").format(e=error)
    return UnreadableError(reason)


def unread(path: str, error: UnreadableError, options: Options) -> FileResult:
    """The result of a file that cannot be read."""
    name = shown(path)
    if not options.settings.wants(NOT_PARSED, path):
        return FileResult(name)
    return FileResult(name, (Diagnostic(name, None, error.finding(), ""),))


def context_for(path: str, options: Options, project: Project | None = None) -> CheckContext:
    """Through what a file is seen."""
    wants = partial(options.settings.wants, path=path)
    if options.analyse is not None:
        return CheckContext(options.analyse, wants=wants)
    suggesting = engine(project, suggesting=True)
    return CheckContext(suggesting, engine(project), engine_for_text(), wants, _is_known)


def _is_known(prefix: str) -> bool:
    return any(code.startswith(prefix) for code in all_rules())


def check_source(
    source: str,
    path: str = "<string>",
    *,
    options: Options | None = None,
    project: Project | None = None,
) -> list[Finding]:
    """The findings in one text, sorted; comments in it are obeyed.

    Args:
        source: Python, or what the suffix of ``path`` says: a notebook's JSON, or Markdown.
        path: The name to judge the text by; nothing is read from it.
        options: Which codes are wanted.
        project: The files that it may import from, or be imported by.
    """
    options = options or Options()
    try:
        document = open_document(path, source)
    except UnreadableError as error:
        return [error.finding()] if options.settings.wants(NOT_PARSED, path) else []
    findings = findings_in(document, path, context_for(path, options, project))
    return [document.locate(finding)[1] for finding in findings]


def shown(path: str) -> str:
    """The path with forward slashes, as it is printed."""
    return path.replace(os.sep, "/")
