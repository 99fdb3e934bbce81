"""The table ``[tool.didact.check]`` of the nearest ``pyproject.toml``."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from didact._core.errors import UsageError
from didact._core.i18n import Language, choose_language
from didact._core.lookup import suggest
from didact.check.files.finding_files import excluded, refuse_bad_globs, relative_to
from didact.check.wanted.select import EVERYTHING, Selection, matches, parse_codes

KEYS = ("select", "ignore", "per-file-ignores", "exclude", "lang")


@dataclass(frozen=True, slots=True)
class Settings:
    """What to report, and where.

    Attributes:
        root: The folder that globs start from: the configuration's, else the working folder.
        selection: The codes that are wanted.
        per_file_ignores: Patterns as in a ``.gitignore``, with the codes not to report there.
        exclude: Patterns as in a ``.gitignore``: files and folders to leave out.
        language: The language of the messages, if the configuration sets one.
    """

    root: Path = field(default_factory=Path.cwd)
    selection: Selection = field(default_factory=Selection)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    language: Language | None = None

    def wants(self, code: str, path: str) -> bool:
        """Whether a finding with this code is reported in this file."""
        if not self.selection.wants(code):
            return False
        relative = relative_to(path, self.root)
        return not any(
            matches(code, codes) and excluded(relative, (glob,))
            for glob, codes in self.per_file_ignores.items()
        )


def find_config(paths: Sequence[str]) -> Path | None:
    """The nearest ``pyproject.toml`` with the table, from the paths' common folder upwards."""
    whole = [Path(path).absolute() for path in paths]
    folders = [path if path.is_dir() else path.parent for path in whole]
    try:
        start = Path(os.path.commonpath(folders)) if folders else Path.cwd()
    except ValueError:  # paths on different drives
        start = Path.cwd()
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and _table(file, required=False) is not None:
            return file
    return None


def load_settings(
    config: Path | None,
    *,
    known: Collection[str],
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> Settings:
    """The settings of a file, with those of the command line over them.

    ``select`` takes the place of the file's; ``ignore`` and ``exclude`` add to it.

    Raises:
        UsageError: A key, a type or a code that is not known; the message names file and key.
    """
    table: Mapping[str, Any] = (_table(config, required=True) or {}) if config else {}
    where = f"[tool.didact.check] in {config}"
    for key in table:
        if key not in KEYS:
            raise UsageError(f"{where}: there is no key {key!r}; {suggest(key, KEYS)}")

    def codes(key: str) -> tuple[str, ...]:
        return parse_codes(_strings(table, key, where), known=known, where=f"{where}: {key}")

    chosen = parse_codes(select, known=known, where="--select")
    own_ignore = parse_codes(ignore, known=known, where="--ignore")
    file_select, file_ignore = codes("select"), codes("ignore")
    selection = (
        Selection(chosen, own_ignore, file_ignore)
        if chosen
        else Selection(file_select or (EVERYTHING,), file_ignore + own_ignore)
    )
    excluding, per_file = _strings(table, "exclude", where), _per_file_ignores(table, where, known)
    refuse_bad_globs(excluding, where=f"{where}: exclude")
    refuse_bad_globs(exclude, where="--exclude")
    refuse_bad_globs(per_file, where=f"{where}: per-file-ignores")
    return Settings(
        root=config.absolute().parent if config else Path.cwd(),
        selection=selection,
        per_file_ignores=per_file,
        exclude=(*excluding, *exclude),
        language=_language(table, where),
    )


def _table(file: Path, *, required: bool) -> Mapping[str, Any] | None:
    try:
        raw = file.read_bytes()
        if not required and b"didact" not in raw.replace(b"\0", b""):  # nor in UTF-16
            return None
        data: Any = tomllib.loads(raw.decode("utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    for key in ("tool", "didact", "check"):
        data = data.get(key)
        if data is None:
            return None
        if not isinstance(data, dict):
            raise UsageError(f"{file}: {key} is {data!r}; expected a table [tool.didact.check]")
    return data if isinstance(data, dict) else None


def _strings(table: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where}: {key} is {value!r}; expected a list of strings")
    return value


def _per_file_ignores(
    table: Mapping[str, Any], where: str, known: Collection[str]
) -> dict[str, tuple[str, ...]]:
    value = table.get("per-file-ignores", {})
    if not isinstance(value, dict):
        raise UsageError(
            f"{where}: per-file-ignores is {value!r}; expected a table of glob = [codes]"
        )
    inner = f"{where}: per-file-ignores"
    return {
        glob: parse_codes(_strings(value, glob, inner), known=known, where=f"{inner}: {glob}")
        for glob in value
    }


def _language(table: Mapping[str, Any], where: str) -> Language | None:
    value = table.get("lang")
    if value is None:
        return None
    if not isinstance(value, str):
        raise UsageError(f"{where}: lang is {value!r}; expected 'en' or 'zh'")
    try:
        return choose_language(value)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
