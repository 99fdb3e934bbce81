"""Answers of earlier runs, kept in the user's cache folder and told apart by content.

An answer stands for a file's bytes, the bytes of every other file that was looked at for it, the
imports of all files that were checked with it, the settings, and didact itself. Whatever of this
differs, and whatever cannot be read or written, is as if nothing had been kept.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import didact
from didact._core import atomic
from didact.check.findings.report import FileResult
from didact.check.findings.stored import diagnostic_of, stored
from didact.check.running.one import shown
from didact.check.running.options import Options
from didact.check.running.scan import Scan

MOST_KEPT = 64
"""So many projects are kept; the one that was used longest ago goes first."""
LARGEST = 256 * 2**20
"""Bytes of a kept file that is still read."""
_A_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found in a file, and the other files that were looked at for it."""

    result: FileResult
    needs: frozenset[str] = frozenset()


@dataclass(slots=True)
class Cache:
    """The answers of one project.

    Attributes:
        file: Where they are kept; nothing where they are not.
        layout: What tells these files and imports from others.
        digests: Of each file, by the name under which it is shown.
        entries: What was read.
    """

    file: Path | None = None
    layout: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    entries: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, paths: Sequence[str], scans: Sequence[Scan], options: Options) -> Cache:
        """The answers kept for these paths and options; none where there is no use for them."""
        own = options.analyse is None and options.relevant is None
        folder = cache_folder() if options.cache and own and options.mode == "report" else None
        if folder is None:
            return cls()
        name = _digest([_tool(), repr(options.settings), Path.cwd(), *paths])
        layout = _digest([shown(s.path), *sorted(s.imports)] for s in scans)
        digests = {shown(scan.path): scan.digest for scan in scans}
        file = folder / f"{name}.json"
        return cls(file, layout, digests, _read(file, layout))

    def get(self, scan: Scan) -> FileResult | None:
        """What is known of a file; nothing where it, or what it needs, has changed."""
        name = shown(scan.path)
        entry = self.entries.get(name)
        if entry is None or not scan.digest:
            return None
        try:
            digest, needs, diagnostics = entry
            fresh = digest == scan.digest and all(
                self.digests.get(path) == known for path, known in needs.items()
            )
            if not fresh:
                return None
            result = FileResult(name, tuple(diagnostic_of(name, d) for d in diagnostics))
        except (TypeError, ValueError, KeyError, AttributeError):
            return None
        self.used.add(name)
        return result

    def keep(self, answers: Mapping[str, Answer]) -> None:
        """Keep the answers for the next run, with those that were used now."""
        if self.file is None or (not answers and len(self.used) == len(self.entries)):
            return
        entries = {name: self.entries[name] for name in self.used}
        for answer in answers.values():
            name, digest = answer.result.path, self.digests.get(answer.result.path)
            needs = {path: self.digests.get(path) for path in sorted(answer.needs)}
            if digest:
                diagnostics = [stored(d) for d in answer.result.diagnostics]
                entries[name] = [digest, needs, diagnostics]
        _write(self.file, self.layout, entries)


def cache_folder() -> Path | None:
    """Where a user's programs keep what they can make again; nothing where there is no such."""
    if named := os.environ.get("DIDACT_CACHE_DIR"):
        return Path(named) / "check"
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        if Path(given).is_absolute():
            base = Path(given)
        elif sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        else:
            base = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    except RuntimeError:  # nobody's home
        return None
    return base / "didact" / "check"


def _read(file: Path, layout: str) -> dict[str, Any]:
    try:
        if file.stat().st_size > LARGEST:
            return {}
        head, _, body = file.read_bytes().partition(b"\n")
        if head.decode() != _sum(body):
            return {}
        data = json.loads(body)
        os.utime(file)
        return dict(data["entries"]) if data["layout"] == layout else {}
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        return {}


def _write(file: Path, layout: str, entries: Mapping[str, Any]) -> None:
    body = json.dumps({"layout": layout, "entries": entries}, separators=(",", ":")).encode()
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace_file(file, _sum(body).encode() + b"\n" + body, mode=0o600)
        _clear(file.parent)


def _clear(folder: Path) -> None:
    """Let go of projects that nobody has checked for long, and of what killed runs left."""

    def age(path: Path) -> float:
        with suppress(OSError):
            return path.stat().st_mtime
        return 0.0

    kept = sorted(folder.glob("*.json"), key=age, reverse=True)
    old = [path for path in atomic.leftovers(folder) if age(path) < time.time() - _A_DAY]
    for path in [*kept[MOST_KEPT:], *old]:
        with suppress(OSError):
            path.unlink()


def _sum(body: bytes) -> str:
    return blake2b(body, digest_size=32).hexdigest()


def _digest(parts: Iterable[object]) -> str:
    text = json.dumps([part if isinstance(part, list) else str(part) for part in parts])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _tool() -> str:
    """What tells this didact, under this Python, from others: all of the checker's own text."""
    package = Path(didact.__file__).parent
    digest = blake2b(f"{didact.__version__} {sys.version_info[:2]}".encode(), digest_size=16)
    for folder in (package / "check", package / "_core"):
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(package)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()
