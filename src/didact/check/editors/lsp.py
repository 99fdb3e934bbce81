"""A language server: findings while one types, and fixes at hand. Needs ``didact[lsp]``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from didact import __version__
from didact._core.i18n import Language
from didact._core.optional import require
from didact.check.files.document import MARKDOWN_SUFFIXES, NOTEBOOK_SUFFIXES
from didact.check.files.source import lines_of
from didact.check.findings.finding import Finding, Severity, Span
from didact.check.formats.words import fix_hint
from didact.check.running.one import check_source
from didact.check.running.options import Options
from didact.check.running.scan import is_relevant


def serve(options: Options, language: Language) -> int:
    """Speak the language server protocol over stdin and stdout until the client says goodbye.

    Raises:
        MissingDependencyError: pygls is not installed.
    """
    require("pygls", extra="lsp")
    build_server(options, language).start_io()
    return 0


def build_server(options: Options, language: Language) -> Any:
    """The server with its features, not yet listening."""
    from lsprotocol import types
    from pygls.lsp.server import LanguageServer

    server = LanguageServer("didact", __version__)
    translate = Translator(language)

    @lru_cache(maxsize=64)
    def checked(text: str, path: str) -> list[Finding]:
        """The findings of a text, once: a client asks for its fixes right after its findings."""
        if not is_relevant(text.encode("utf-8", "replace"), options):
            return []
        return check_source(text, path, options=options)

    def findings(uri: str) -> list[Finding]:
        text = server.workspace.get_text_document(uri).source
        path = path_of(uri)
        if Path(path).suffix.lower() in NOTEBOOK_SUFFIXES:
            return []  # an editor opens the cells, not the JSON around them
        return checked(text, path)

    def publish(uri: str) -> None:
        document = server.workspace.get_text_document(uri)
        diagnostics = [translate.diagnostic(f, document) for f in findings(uri)]
        server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, diagnostics, version=document.version)
        )

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(parameters: types.DidOpenTextDocumentParams) -> None:
        publish(parameters.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(parameters: types.DidChangeTextDocumentParams) -> None:
        publish(parameters.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(parameters: types.DidSaveTextDocumentParams) -> None:
        publish(parameters.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(parameters: types.DidCloseTextDocumentParams) -> None:
        nothing = types.PublishDiagnosticsParams(parameters.text_document.uri, [])
        server.text_document_publish_diagnostics(nothing)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    def code_action(parameters: types.CodeActionParams) -> list[types.CodeAction]:
        uri = parameters.text_document.uri
        document = server.workspace.get_text_document(uri)
        return [
            translate.action(finding, document, uri)
            for finding in findings(uri)
            if translate.offers(finding, document, parameters.range)
        ]

    return server


class Translator:
    """From findings to what the protocol calls them."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def diagnostic(self, finding: Finding, document: Any) -> Any:
        """The finding as a diagnostic."""
        from lsprotocol import types

        severities = {
            Severity.ERROR: types.DiagnosticSeverity.Error,
            Severity.WARNING: types.DiagnosticSeverity.Warning,
            Severity.INFO: types.DiagnosticSeverity.Information,
        }
        return types.Diagnostic(
            range=self._range(finding.span, document),
            message=finding.message.pick(self._language),
            severity=severities[finding.severity],
            code=finding.code,
            source="didact",
        )

    def action(self, finding: Finding, document: Any, uri: str) -> Any:
        """The finding's fix as a quick fix; a safe one is the preferred one."""
        from lsprotocol import types

        assert finding.fix is not None
        edits = [
            types.TextEdit(self._range(edit.span, document), edit.text)
            for edit in finding.fix.edits
        ]
        return types.CodeAction(
            title=f"{finding.code}: {fix_hint(finding.fix, self._language)}",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self.diagnostic(finding, document)],
            is_preferred=finding.fix.safety == "safe",
            edit=types.WorkspaceEdit(changes={uri: edits}),
        )

    def offers(self, finding: Finding, document: Any, wanted: Any) -> bool:
        """Whether the finding has a fix that can be made and lies on the lines asked for."""
        if finding.fix is None or finding.fix.safety == "display" or not finding.fix.edits:
            return False
        place = self._range(finding.span, document)
        return bool(place.start.line <= wanted.end.line and wanted.start.line <= place.end.line)

    def _range(self, span: Span, document: Any) -> Any:
        """Lines from 0, columns in the units that client and server agreed on."""
        from lsprotocol import types

        lines = lines_of(document.source)  # pygls's own lines also end at form feeds
        whole = types.Range(
            types.Position(span.line - 1, span.column),
            types.Position(span.end_line - 1, span.end_column),
        )
        return document.position_codec.range_to_client_units(lines, whole)


def path_of(uri: str) -> str:
    """The path that a URI names; a cell of a notebook is plain Python."""
    parsed = urlparse(uri)
    path = url2pathname(parsed.path)
    cell = parsed.scheme.endswith("-cell")
    if cell and Path(path).suffix.lower() in NOTEBOOK_SUFFIXES | MARKDOWN_SUFFIXES:
        return f"{path}.py"
    return path
