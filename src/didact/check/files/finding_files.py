"""Which files to check: every file that is named, and the right ones in every folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec

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

    A file that is named is always among them, and a folder that is named is entered. What a
    ``.gitignore`` leaves out is left out. Links to folders are not followed.

    Args:
        paths: Files and folders.
        exclude: Patterns as in a ``.gitignore`` in ``root``.
        root: The folder of the configuration.

    Raises:
        UsageError: A path does not exist.
    """
    found: dict[str, str] = {}
    for path in paths:
        if path and Path(path).is_dir():
            files: Iterable[str] = _walk(path, exclude, root)
        elif path and (Path(path).exists() or Path(path).is_symlink()):
            files = [path]
        else:
            raise UsageError(f"there is no file or folder {path!r}")
        for file in files:
            found.setdefault(_whole(file), os.path.normpath(file))
    return sorted(found.values())


def _walk(top: str, exclude: Sequence[str], root: Path) -> Iterator[str]:
    ignored = {_whole(top): _ignored_above(Path(_whole(top)))}
    for folder, folders, files in os.walk(top):
        whole = _whole(folder)
        rules = (*ignored.pop(whole, ()), *_gitignore(Path(whole)))
        relative = relative_to(folder, root)
        folders[:] = [
            name
            for name in folders
            if name not in ALWAYS_EXCLUDED
            and not excluded(f"{relative}/{name}/", exclude)
            and not _is_ignored(f"{whole}/{name}/", rules)
        ]
        ignored |= {_whole(f"{folder}/{name}"): rules for name in folders}
        for name in files:
            path = Path(folder, name)
            wanted = path.suffix.lower() in SUFFIXES and path.is_file()
            if (
                wanted
                and not excluded(f"{relative}/{name}", exclude)
                and not _is_ignored(f"{whole}/{name}", rules)
            ):
                yield str(path)


Ignored = tuple[tuple[str, GitIgnoreSpec], ...]
"""Folders with the patterns of their ``.gitignore``, the outermost first."""


def _ignored_above(top: Path) -> Ignored:
    """The patterns of the repository around a folder, unless they ignore the folder itself."""
    parents = list(top.parents)
    inside = next((n for n, folder in enumerate([top, *parents]) if (folder / ".git").exists()), 0)
    rules: Ignored = ()
    for folder in reversed(parents[:inside]):
        rules = (*rules, *_gitignore(folder))
    return () if _is_ignored(f"{top}/", rules) else rules


def _gitignore(folder: Path) -> Ignored:
    try:
        text = (folder / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    lines = [line for line in text.splitlines() if _is_pattern(line)]
    return ((str(folder), GitIgnoreSpec.from_lines(lines)),) if lines else ()


def _is_pattern(line: str) -> bool:
    """Whether git understands the line; it passes over what it does not."""
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _is_ignored(path: str, rules: Ignored) -> bool:
    """Whether git would leave a path out: the innermost file that speaks of it decides."""
    for folder, patterns in reversed(rules):
        decision = patterns.check_file(path.removeprefix(folder).lstrip("/")).include
        if decision is not None:
            return decision
    return False


def relative_to(path: str, root: Path) -> str:
    """The path from ``root``, with forward slashes; an outside path stays absolute."""
    whole = _whole(path)
    inside = os.path.relpath(whole, root)
    return (whole if inside.startswith("..") else inside).replace(os.sep, "/")


def excluded(path: str, globs: Iterable[str]) -> bool:
    """Whether a path from the root, or a folder that holds it, is matched as by ``.gitignore``."""
    return _patterns(tuple(globs)).match_file(path.removeprefix("./"))


def refuse_bad_globs(globs: Iterable[str], *, where: str) -> None:
    """Raise if one of the patterns is none.

    Raises:
        UsageError: It names the pattern and ``where`` it was given.
    """
    for glob in globs:
        try:
            _patterns((glob,))
        except ValueError as error:
            raise UsageError(
                f"{where}: {glob!r} is no pattern as in a .gitignore; write one such as "
                "'third_party/' or 'old/**/*.py'"
            ) from error


@lru_cache(maxsize=64)
def _patterns(globs: tuple[str, ...]) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(glob.removeprefix("./") for glob in globs)


def _whole(path: str) -> str:
    return os.path.normpath(Path(path).absolute())
