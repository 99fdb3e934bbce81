"""The rules as a plugin of flake8, which reads ``# noqa`` and selects codes itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import ClassVar

from didact import __version__
from didact._core.i18n import choose_language
from didact.check.files.document import PythonDocument
from didact.check.findings.meta import META
from didact.check.running.analysis import Analyse, CheckContext, engine, findings_in


class Plugin:
    """What flake8 makes of each file.

    Args:
        tree: The syntax tree; flake8 asks for it by this name.
        filename: The file's name.
        lines: The file's lines.
    """

    name: ClassVar[str] = "didact"
    version: ClassVar[str] = __version__
    analyse: ClassVar[Analyse | None] = None

    def __init__(
        self,
        tree: ast.AST,  # noqa: ARG002  flake8 goes by the names of the parameters
        filename: str,
        lines: Sequence[str],
    ) -> None:
        self._filename, self._text = filename, "".join(lines)

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Line, column and message of each finding; what concerns comments is flake8's own."""
        from didact.check.engine.index import relevant

        if not relevant(self._text.encode("utf-8", "replace")):
            return
        language = choose_language()
        document = PythonDocument(self._text)
        context = CheckContext(type(self).analyse or engine(), wants=lambda code: code not in META)
        for finding in findings_in(document, self._filename, context):
            message = " ".join(finding.message.pick(language).split())
            line, column = finding.span.line, finding.span.column
            yield line, column, f"{finding.code} {message}", type(self)
