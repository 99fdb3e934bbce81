"""A language server: findings while one types, and fixes at hand. Needs ``didact[lsp]``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from didact import __version__
from didact._core.errors import UsageError
from didact._core.i18n import Language
from didact._core.optional import require
from didact.check.explain.pages import rule_page
from didact.check.files.document import MARKDOWN_SUFFIXES, NOTEBOOK_SUFFIXES
from didact.check.files.source import lines_of
from didact.check.findings.finding import Finding, Severity, Span
from didact.check.formats.words import fix_hint
from didact.check.running.options import Options
from didact.check.running.workspace import Workspace
from didact.check.wanted.config import Settings

QUIET = 0.08
"""Seconds without a keystroke after which a file is looked at; faster ones are taken together."""

SettingsOf = Callable[[Path], Settings]


def serve(options: Options, language: Language, settings_of: SettingsOf) -> int:
    """Speak the language server protocol over stdin and stdout until the client says goodbye.

    Args:
        options: How files are checked.
        language: The language of the messages.
        settings_of: What is wanted in a folder that the editor opens.

    Raises:
        MissingDependencyError: pygls is not installed.
    """
    require("pygls", extra="lsp")
    build_server(options, language, settings_of).start_io()
    return 0


def build_server(options: Options, language: Language, settings_of: SettingsOf) -> Any:
    """The server with its features, not yet listening."""
    from lsprotocol import types
    from pygls.lsp.server import LanguageServer

    server = LanguageServer("didact", __version__)
    desk = _Desk(server, options, Translator(language), settings_of)

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        await desk.open_folders()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(parameters: types.DidOpenTextDocumentParams) -> None:
        desk.take_over(parameters.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def did_change(parameters: types.DidChangeTextDocumentParams) -> None:
        uri, version = parameters.text_document.uri, parameters.text_document.version
        await asyncio.sleep(QUIET)
        if desk.version(uri) == version:
            desk.take_over(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(parameters: types.DidSaveTextDocumentParams) -> None:
        desk.take_over(parameters.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(parameters: types.DidCloseTextDocumentParams) -> None:
        desk.put_away(parameters.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_on_disk(parameters: types.DidChangeWatchedFilesParams) -> None:
        desk.reread([change.uri for change in parameters.changes])

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_folders(_: types.DidChangeWorkspaceFoldersParams) -> None:
        await desk.open_folders()

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(parameters: types.HoverParams) -> types.Hover | None:
        page: types.Hover | None = desk.page_at(parameters.text_document.uri, parameters.position)
        return page

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    def code_action(parameters: types.CodeActionParams) -> list[types.CodeAction]:
        return desk.actions(parameters.text_document.uri, parameters.range)

    return server


class _Desk:
    """The open files and what was said of them."""

    def __init__(
        self, server: Any, options: Options, translate: Translator, settings_of: SettingsOf
    ) -> None:
        self._server, self._options, self._translate = server, options, translate
        self._settings_of = settings_of
        self._workspace = Workspace(options)
        self._said: dict[str, object] = {}
        """By URI what was published, so that nothing is said twice."""

    async def open_folders(self) -> None:
        """Read the folders, without keeping the editor waiting meanwhile."""
        folders = [Path(path_of(uri)) for uri in self._server.workspace.folders]
        if not folders and self._server.workspace.root_path:
            folders = [Path(self._server.workspace.root_path)]
        workspace = Workspace(self._with_settings(folders))
        self._watch()
        scans = await asyncio.to_thread(workspace.scans_of, folders) if folders else {}
        self._workspace = workspace
        for uri in self._said:
            workspace.edit(path_of(uri), self._text(uri))
        workspace.take(scans)
        self._say_all()

    def _with_settings(self, folders: list[Path]) -> Options:
        if not folders:
            return self._options
        try:
            return replace(self._options, settings=self._settings_of(folders[0]))
        except UsageError as error:
            from lsprotocol import types

            message = types.ShowMessageParams(types.MessageType.Error, f"didact: {error}")
            self._server.window_show_message(message)
            return self._options

    def _watch(self) -> None:
        """Ask to be told of files that other programs change, where the editor can tell."""
        from lsprotocol import types

        able = self._server.client_capabilities.workspace
        watching = able.did_change_watched_files if able is not None else None
        if watching is None or not watching.dynamic_registration:
            return
        watchers = [types.FileSystemWatcher("**/*.{py,pyw,md,markdown}")]
        registration = types.Registration(
            "didact-files",
            types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            types.DidChangeWatchedFilesRegistrationOptions(watchers),
        )
        self._server.client_register_capability(types.RegistrationParams([registration]))

    def version(self, uri: str) -> int | None:
        """The version of an open document; nothing once it is closed."""
        known: int | None = self._document(uri).version if uri in self._said else None
        return known

    def take_over(self, uri: str) -> None:
        """A document was opened, changed or saved."""
        self._said.setdefault(uri, None)
        self._workspace.edit(path_of(uri), self._text(uri))
        self._say(uri)
        self._say_all()

    def put_away(self, uri: str) -> None:
        """A document was closed."""
        from lsprotocol import types

        self._said.pop(uri, None)
        self._workspace.reread(path_of(uri))
        self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        self._say_all()

    def reread(self, uris: Iterable[str]) -> None:
        """Files were changed by another program."""
        for path in map(path_of, uris):
            if not self._workspace.is_open(path):
                self._workspace.reread(path)
        self._say_all()

    def findings(self, uri: str) -> list[Finding]:
        """The findings in a document as it is now."""
        path = path_of(uri)
        if Path(path).suffix.lower() in NOTEBOOK_SUFFIXES:
            return []  # an editor opens the cells, not the JSON around them
        self._workspace.edit(path, self._text(uri))
        return self._workspace.findings(path)

    def _say_all(self) -> None:
        for uri in list(self._said):
            self._say(uri)

    def _say(self, uri: str) -> None:
        from lsprotocol import types

        document = self._document(uri)
        diagnostics = [self._translate.diagnostic(f, document) for f in self.findings(uri)]
        now = (document.version, diagnostics)
        if self._said.get(uri) != now:
            self._said[uri] = now
            self._server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri, diagnostics, version=document.version)
            )

    def page_at(self, uri: str, position: Any) -> Any:
        """The page of the rule whose finding lies at a place."""
        from lsprotocol import types

        document = self._document(uri)
        for finding in self.findings(uri):
            place = self._translate.range(finding.span, document)
            if _holds(place, position):
                page = rule_page(finding.code, self._translate.language)
                content = types.MarkupContent(types.MarkupKind.Markdown, page)
                return types.Hover(content, place)
        return None

    def actions(self, uri: str, wanted: Any) -> list[Any]:
        """The fixes that can be made on some lines."""
        document = self._document(uri)
        return [
            self._translate.action(finding, document, uri)
            for finding in self.findings(uri)
            if self._translate.offers(finding, document, wanted)
        ]

    def _document(self, uri: str) -> Any:
        return self._server.workspace.get_text_document(uri)

    def _text(self, uri: str) -> str:
        return str(self._document(uri).source)


def _holds(place: Any, position: Any) -> bool:
    here = (position.line, position.character)
    start, end = place.start, place.end
    return bool((start.line, start.character) <= here <= (end.line, end.character))


class Translator:
    """From findings to what the protocol calls them."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def diagnostic(self, finding: Finding, document: Any) -> Any:
        """The finding as a diagnostic."""
        from lsprotocol import types

        severities = {
            Severity.ERROR: types.DiagnosticSeverity.Error,
            Severity.WARNING: types.DiagnosticSeverity.Warning,
            Severity.INFO: types.DiagnosticSeverity.Information,
        }
        return types.Diagnostic(
            range=self.range(finding.span, document),
            message=finding.message.pick(self.language),
            severity=severities[finding.severity],
            code=finding.code,
            source="didact",
        )

    def action(self, finding: Finding, document: Any, uri: str) -> Any:
        """The finding's fix as a quick fix; a safe one is the preferred one."""
        from lsprotocol import types

        assert finding.fix is not None
        edits = [
            types.TextEdit(self.range(edit.span, document), edit.text) for edit in finding.fix.edits
        ]
        return types.CodeAction(
            title=f"{finding.code}: {fix_hint(finding.fix, self.language)}",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self.diagnostic(finding, document)],
            is_preferred=finding.fix.safety == "safe",
            edit=types.WorkspaceEdit(changes={uri: edits}),
        )

    def offers(self, finding: Finding, document: Any, wanted: Any) -> bool:
        """Whether the finding has a fix that can be made and lies on the lines asked for."""
        if finding.fix is None or finding.fix.safety == "display" or not finding.fix.edits:
            return False
        place = self.range(finding.span, document)
        return bool(place.start.line <= wanted.end.line and wanted.start.line <= place.end.line)

    def range(self, span: Span, document: Any) -> Any:
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
        return f"{path}#{parsed.fragment}.py" if parsed.fragment else f"{path}.py"
    return path
