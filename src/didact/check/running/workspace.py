"""The folders that an editor has open: findings that follow while their files are edited."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from didact.check.files.finding_files import find_files
from didact.check.files.module import has_imports, module_in, read_module
from didact.check.findings.finding import Finding
from didact.check.running.one import check_source, shown
from didact.check.running.options import Options
from didact.check.running.scan import Scan, scan_all, scan_bytes, scan_file

if TYPE_CHECKING:
    from didact.check.engine.project import Project


@dataclass(frozen=True, slots=True)
class _Known:
    """Findings with what they rest on, as in the cache on the disk."""

    digest: str
    layout: int
    needs: Mapping[str, str]
    findings: list[Finding]


class Workspace:
    """Files of folders, some of them open in an editor with another text than on the disk."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._scans: dict[str, Scan] = {}
        self._texts: dict[str, str] = {}
        self._known: dict[str, _Known] = {}
        self._project: Project | None = None
        self._layout = 0

    def scans_of(self, folders: Iterable[Path]) -> dict[str, Scan]:
        """What the files in folders import; changes nothing, so that it can be done meanwhile."""
        settings = self._options.settings
        names = [str(folder) for folder in folders if folder.is_dir()]
        files = find_files(names, exclude=settings.exclude, root=settings.root)
        return {shown(scan.path): scan for scan in scan_all(files, self._options)}

    def take(self, scans: Mapping[str, Scan]) -> None:
        """Make files part of the workspace; open ones stay as they are in the editor."""
        self._scans = {**scans, **{p: s for p, s in self._scans.items() if p in self._texts}}
        self._arrange()

    def edit(self, path: str, text: str) -> None:
        """A file is open and has this text."""
        path = shown(path)
        if self._texts.get(path) == text:
            return
        self._texts[path] = text
        data = text.encode("utf-8", "surrogatepass")
        self._replace(path, scan_bytes(path, data, self._options))

    def reread(self, path: str) -> None:
        """A file is as it is on the disk: closed in the editor, or changed by another program."""
        path = shown(path)
        self._texts.pop(path, None)
        exists = Path(path).is_file()
        self._replace(path, scan_file(path, self._options) if exists else None)

    def is_open(self, path: str) -> bool:
        """Whether an editor holds the file's text."""
        return shown(path) in self._texts

    def findings(self, path: str) -> list[Finding]:
        """The findings in an open file; worked out again only where something changed for it."""
        path = shown(path)
        scan, text = self._scans.get(path), self._texts.get(path)
        if scan is None or text is None or not scan.interesting:
            return []
        known = self._known.get(path)
        if known is None or not self._holds(known, scan):
            known = self._check(path, text, scan)
            self._known[path] = known
        return known.findings

    def _check(self, path: str, text: str, scan: Scan) -> _Known:
        project = self._project if has_imports(path) else None
        if project is not None:
            project.looked_at()
        findings = check_source(text, path, options=self._options, project=project)
        asked = project.looked_at() - {path} if project is not None else frozenset[str]()
        needs = {name: self._digest(name) for name in asked}
        return _Known(scan.digest, self._layout, needs, findings)

    def _holds(self, known: _Known, scan: Scan) -> bool:
        return (
            known.digest == scan.digest
            and known.layout == self._layout
            and all(self._digest(path) == digest for path, digest in known.needs.items())
        )

    def _digest(self, path: str) -> str:
        scan = self._scans.get(path)
        return "" if scan is None else scan.digest

    def _replace(self, path: str, scan: Scan | None) -> None:
        old = self._scans.pop(path, None)
        if scan is not None:
            self._scans[path] = scan
        else:
            self._known.pop(path, None)
        if self._project is not None:
            self._project.forget(path)
        if (None if old is None else old.imports) != (None if scan is None else scan.imports):
            self._arrange()

    def _arrange(self) -> None:
        self._layout += 1
        modules = {path: scan.imports for path, scan in self._scans.items() if has_imports(path)}
        if self._options.analyse is not None:
            return
        if self._project is None:
            from didact.check.engine.project import Project

            self._project = Project(modules, self._read)
        else:
            self._project.arrange(modules)

    def _read(self, path: str) -> tuple[ast.Module, str] | None:
        text = self._texts.get(path)
        return read_module(path) if text is None else module_in(path, text)
