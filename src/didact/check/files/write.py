"""Writing a fixed file back: whole or not at all."""

from __future__ import annotations

import difflib
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from didact._core import atomic

_MAY_BE_WRITTEN = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def replace_file(path: Path, old: bytes, new: bytes) -> None:
    """Put ``new`` in the place of ``old``; links of both kinds, owner and mode stay.

    Raises:
        OSError: The file cannot be written, is read-only, or changed in the meantime.
    """
    target = path.resolve()
    now = target.read_bytes()
    if now == new:
        return  # written before, under another name of the file
    if now != old:
        raise OSError("it changed while it was being checked")
    about = target.stat()
    if not stat.S_IMODE(about.st_mode) & _MAY_BE_WRITTEN:
        raise OSError("it is read-only")
    if about.st_nlink > 1 or not _is_ours(about):
        _overwrite(target, old, new)
    else:
        atomic.replace_file(target, new, mode=stat.S_IMODE(about.st_mode))


def _is_ours(about: os.stat_result) -> bool:
    """Whether a new file would have the same owner and group."""
    if os.name != "posix":
        return True
    return (about.st_uid, about.st_gid) == (os.geteuid(), os.getegid())


def _overwrite(target: Path, old: bytes, new: bytes) -> None:
    """Write into the file itself: a new one would be another file than its other names."""
    with target.open("r+b") as file:
        try:
            _put(file, new)
        except OSError:
            with suppress(OSError):
                _put(file, old)
            raise


def _put(file: BinaryIO, data: bytes) -> None:
    file.seek(0)
    file.write(data)
    file.truncate()
    file.flush()
    atomic.sync(file.fileno())


def unified_diff(old: str, new: str, path: str) -> str:
    """The difference, as ``patch`` and ``git apply`` read it."""
    name = path.replace(os.sep, "/")
    lines = difflib.unified_diff(_lines(old), _lines(new), f"a/{name}", f"b/{name}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)
