"""Which files to check: every file that is named, and the right ones in every folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from didact._core.errors import UsageError
from didact.check.files.document import MARKDOWN_SUFFIXES, NOTEBOOK_SUFFIXES

SUFFIXES = frozenset({".py", ".pyw"}) | NOTEBOOK_SUFFIXES | MARKDOWN_SUFFIXES

ALWAYS_EXCLUDED = (
    ".bzr", ".direnv", ".eggs", ".git", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pycache__",
    "__pypackages__", "_build", "build", "buck-out", "dist", "node_modules", "site-packages",
    "venv",
)  # fmt: skip
"""Folders that hold nobody's own code; a folder that is named itself is still entered."""


def find_files(paths: Sequence[str], *, exclude: Sequence[str], root: Path) -> list[str]:
    """The files to check, sorted, each once, written as the user wrote its folder.

    A file that is named is always among them. Links to folders are not followed.

    Args:
        paths: Files and folders.
        exclude: Globs. One without a slash is compared with every part of the path, one with a
            slash with the whole path from ``root`` (``*`` also matches slashes).
        root: The folder of the configuration.

    Raises:
        UsageError: A path does not exist.
    """
    found: dict[str, str] = {}
    for path in paths:
        if Path(path).is_dir():
            files: Iterable[str] = _walk(path, exclude, root)
        elif Path(path).exists() or Path(path).is_symlink():
            files = [path]
        else:
            raise UsageError(f"there is no file or folder {path!r}")
        for file in files:
            found.setdefault(_whole(file), os.path.normpath(file))
    return sorted(found.values())


def _walk(top: str, exclude: Sequence[str], root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(top):
        relative = relative_to(folder, root)
        folders[:] = [
            name
            for name in folders
            if name not in ALWAYS_EXCLUDED and not excluded(f"{relative}/{name}", exclude)
        ]
        for name in files:
            path = Path(folder, name)
            wanted = path.suffix.lower() in SUFFIXES and path.is_file()
            if wanted and not excluded(f"{relative}/{name}", exclude):
                yield str(path)


def relative_to(path: str, root: Path) -> str:
    """The path from ``root``, with forward slashes; an outside path stays absolute."""
    whole = _whole(path)
    inside = os.path.relpath(whole, root)
    return (whole if inside.startswith("..") else inside).replace(os.sep, "/")


def excluded(path: str, globs: Iterable[str]) -> bool:
    """Whether a path from the root, or a folder that holds it, is matched by one of ``globs``."""
    path = path.removeprefix("./")
    parts = path.split("/")
    heads = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
    for glob in globs:
        pattern = glob.removeprefix("./").rstrip("/")
        candidates = heads if "/" in pattern else parts
        if any(fnmatchcase(candidate, pattern) for candidate in candidates):
            return True
    return False


def _whole(path: str) -> str:
    return os.path.normpath(Path(path).absolute())
