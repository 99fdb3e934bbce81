"""Digests: a bit that flips on a disk is noticed when the file is read, not believed.

A digest is the SHA-256 of what a reader gets out of a file, so that a file without one, of another
program or of an earlier version, can still be read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from didact._core.errors import CheckpointError

KEY = "digest"
LINE_DIGITS = 16
_MARK = f', "{KEY}": "'.encode()
_BLOCK = 1 << 20


def of_text(text: str, digits: int = 64) -> str:
    """Hexadecimal digits of a text's digest."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def of_json(value: Mapping[str, Any]) -> str:
    """The digest of a JSON object: of all of it but its own digest, whatever its order."""
    rest = {name: entry for name, entry in value.items() if name != KEY}
    return of_text(json.dumps(rest, sort_keys=True, separators=(",", ":")))


def of_file(path: Path) -> str:
    """The digest of a file's bytes, read block by block."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def with_digest(value: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON object that carries its digest."""
    return {**value, KEY: of_json(value)}


def checked_json(value: dict[str, Any], path: Path) -> dict[str, Any]:
    """The object without its digest.

    Raises:
        CheckpointError: It is not the object that was written.
    """
    stored = value.pop(KEY, None)
    if stored is not None and stored != of_json(value):
        raise damaged(path)
    return value


def damaged(
    path: Path, why: str = "it does not have the digest that was written with it"
) -> CheckpointError:
    """The message for a file that is not what was written."""
    return CheckpointError(f"{path} is damaged: {why}; use another copy of it, or run again")


def line_of(row: Mapping[str, Any]) -> str:
    """An object as one line of JSON that carries a digest of the rest of it."""
    text = json.dumps(row)
    return f'{text[:-1]}, "{KEY}": "{of_text(text, LINE_DIGITS)}"}}\n'


def checked_line(line: bytes | str, path: Path, number: int) -> dict[str, Any]:
    """One line of a file of such lines, without its digest.

    Raises:
        CheckpointError: It is not JSON, or not what was written.
    """
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("not an object")
        stored = row.pop(KEY, None)
        if stored is not None and stored != of_text(json.dumps(row), LINE_DIGITS):
            raise ValueError("its digest is another")
    except (ValueError, RecursionError) as error:
        raise damaged(path, f"line {number}: {error}") from None
    return row


def checked_lines(path: Path) -> list[dict[str, Any]]:
    """Every line of such a file; none where there is no file.

    A kill leaves the beginning of a line at the end of the file. What has more than a whole line's
    object there, or lacks a digest that other lines have, was not left by a kill.

    Raises:
        CheckpointError: A line is damaged, other than a last one that a kill cut short.
    """
    if path.exists() and not path.is_file():
        raise damaged(path, "it is no regular file")
    if not path.is_file():
        return []
    try:
        *lines, last = path.read_bytes().split(b"\n")
    except OSError as error:
        raise damaged(path, str(error)) from None
    if _is_whole(last):
        lines.append(last)
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    rows = [checked_line(line, path, number) for number, line in numbered]
    bare = [number for number, line in numbered if _MARK not in line]
    if bare and len(bare) < len(rows):
        raise damaged(path, f"line {bare[0]}: it has no digest, and others have")
    return rows


def have_digests(path: Path) -> bool:
    """Whether a file of lines has one that carries a digest."""
    return path.is_file() and _MARK in path.read_bytes()


def _is_whole(line: bytes) -> bool:
    """Whether a last line has its whole object: the kill came before the newline, or worse."""
    try:
        json.JSONDecoder().raw_decode(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def compare(path: Path, stored: object) -> None:
    """Refuse a file that has another digest than the one that is known.

    Raises:
        CheckpointError: It has, or it cannot be read.
    """
    if path.exists() and not path.is_file():
        raise damaged(path, "it is no regular file")
    try:
        found = of_file(path)
    except OSError as error:
        raise damaged(path, str(error.strerror or error)) from None
    if found != stored:
        raise damaged(path)
