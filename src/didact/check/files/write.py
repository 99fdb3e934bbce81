"""Writing a fixed file back: whole or not at all."""

from __future__ import annotations

import difflib
import os
import re
import stat
from pathlib import Path

from didact._core import atomic


def replace_file(path: Path, old: bytes, new: bytes) -> None:
    """Put ``new`` in the place of ``old``; a link stays a link, the mode stays the mode.

    Raises:
        OSError: The file cannot be written, or it changed in the meantime.
    """
    target = path.resolve()
    if target.read_bytes() != old:
        raise OSError("it changed while it was being checked")
    atomic.replace_file(target, new, mode=stat.S_IMODE(target.stat().st_mode))


def unified_diff(old: str, new: str, path: str) -> str:
    """The difference, as ``patch`` and ``git apply`` read it."""
    name = path.replace(os.sep, "/")
    lines = difflib.unified_diff(_lines(old), _lines(new), f"a/{name}", f"b/{name}")
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)
