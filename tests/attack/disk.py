"""A disk that fails on demand: at a chosen file operation the process dies, the power is cut, or
the operation ends in an error.

Operations on one folder are counted, in the order in which the process makes them: opening a file
to write, each write, waiting (``fsync``), renaming, removing, making a folder. What a power cut
leaves is what was waited for: the content of a file as it was at its last ``fsync``, under the
names that its folder had at its own last ``fsync``.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

Act = Callable[[], None]


class Disk:
    """Counts the operations on a folder and acts at one of them.

    Args:
        root: The folder.
        at: The number of the operation, from 0; -1 for none.
        act: What happens instead of it.
    """

    def __init__(self, root: Path, at: int, act: Act) -> None:
        self.root, self.at, self.act, self.count = str(root), at, act, 0
        self.contents: dict[int, list[bytes]] = {}
        self.names: dict[int, dict[str, list[bytes] | int]] = {}
        self._real = {name: getattr(os, name) for name in ("fsync", "replace", "unlink", "mkdir")}
        self._open = io.open

    def install(self) -> Disk:
        """From now on, in this process."""
        os.fsync = self._fsync  # type: ignore[assignment]
        for name in ("replace", "unlink", "mkdir"):
            setattr(os, name, self._counted(self._real[name]))
        io.open = builtins.open = self._opened  # type: ignore[assignment]
        return self

    def leave_only_what_is_durable(self, image: Path) -> None:
        """Write what a power cut would leave into another folder."""
        if os.path.isdir(self.root):  # noqa: PTH112
            self._restore(os.stat(self.root).st_ino, image)  # noqa: PTH116

    def _restore(self, folder: int, image: Path) -> None:
        self._real["mkdir"](image)
        for name, held in self.names.get(folder, {}).items():
            if isinstance(held, int):
                self._restore(held, image / name)
            else:
                with self._open(image / name, "wb") as file:
                    file.write(held[0])

    def _ours(self, path: object) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self.root)

    def _tick(self) -> None:
        if self.count == self.at:
            self.count += 1
            self.act()
        self.count += 1

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(path: Any, *rest: Any, **options: Any) -> Any:
            if self._ours(path):
                self._tick()
                for gone in (rest if real is self._real["replace"] else [path])[:1]:
                    self._forget(gone)
            return real(path, *rest, **options)

        return operation

    def _forget(self, path: Any) -> None:
        """The number of a file that goes may be given to another, whose content is its own."""
        try:
            self.contents.pop(os.lstat(path).st_ino, None)
        except FileNotFoundError:
            return

    def _held(self, number: int) -> list[bytes]:
        """The content that is durable of a file; what was never waited for is empty."""
        return self.contents.setdefault(number, [b""])

    def _fsync(self, descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
        found = os.fstat(descriptor)
        if self._ours(path):
            self._tick()
            if stat.S_ISDIR(found.st_mode):
                with os.scandir(path) as entries:
                    self.names[found.st_ino] = {
                        e.name: e.inode()
                        if e.is_dir(follow_symlinks=False)
                        else self._held(e.inode())
                        for e in entries
                    }
            else:
                with self._open(path, "rb") as file:
                    self._held(found.st_ino)[0] = file.read()

    def _opened(self, path: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if not (self._ours(path) and set(mode) & set("wxa")):
            return self._open(path, mode, *rest, **options)
        self._tick()
        file = self._open(path, mode, *rest, **options)
        real = file.write

        def write(data: Any) -> int:
            self._tick()
            return int(real(data))

        return _Writing(file, write)


class _Writing:
    """A file whose writes are counted."""

    def __init__(self, file: Any, write: Callable[[Any], int]) -> None:
        self._file, self.write = file, write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _Writing:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def die() -> None:
    """As by ``kill -9``."""
    os._exit(9)


def fail_with(number: int) -> Act:
    """The operation ends in an error of the system."""

    def act() -> None:
        raise OSError(number, os.strerror(number))

    return act


ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS)
