"""A file that is whole or not there: written under another name, then renamed."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PREFIX, SUFFIX = ".didact-", ".tmp"
# What some file systems answer where there is nothing to wait for; a full or broken disk says else.
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EROFS}


@contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[BinaryIO]:
    """A file to write into that takes the place of ``path`` when the block ends.

    The content is on the disk before the name points to it, and the name before this returns. A
    process that is killed, or a block that raises, leaves the old file; a killed one also leaves a
    file :data:`PREFIX` ``PID-...`` :data:`SUFFIX` beside it, which :func:`leftovers` finds.

    Args:
        path: The file; a link is replaced, not followed.
        mode: Its permissions; by default what ``open`` gives a new file.

    Raises:
        OSError: The file cannot be written; no trace is left.
    """
    temporary = path.with_name(f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            sync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def replace_file(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace ``path`` by ``content`` in one step, as :func:`replacing` does.

    Raises:
        OSError: The file cannot be written; the old one stays.
    """
    with replacing(path, mode=mode) as file:
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can say so."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return  # a folder that may be written and not read
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def leftovers(folder: Path) -> list[Path]:
    """The temporary files in a folder: of a process that was killed, or of one still at work."""
    return sorted(folder.glob(f"{PREFIX}*{SUFFIX}"))


def sync(descriptor: int) -> None:
    """Wait until a file's content is on the disk, where the file system knows of waiting."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
