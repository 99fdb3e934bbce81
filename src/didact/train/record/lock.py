"""One process at a time writes into a run folder."""

from __future__ import annotations

import errno
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from didact._core.atomic import PREFIX, leftovers
from didact._core.errors import RunFolderError
from didact.train.record.environment import command
from didact.train.record.files import cannot_write, make_folder
from didact.train.record.run_folder import LOCK

try:
    import fcntl
except ImportError:  # Windows: folders are not locked there
    fcntl = None  # type: ignore[assignment]

# What file systems without locks answer, such as some that are reached over a network.
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a run folder, which is made if it is not there, and clear what killed processes left.

    The lock is the system's: it ends with the process, however that ends.

    Raises:
        RunFolderError: Another process holds it, or the folder cannot be made.
    """
    try:
        make_folder(path)
        descriptor = _hold(path / LOCK)
    except BlockingIOError:
        raise RunFolderError(f"{path} is in use by {_holder(path / LOCK)}") from None
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        _remove_leftovers(path)
        yield
    finally:
        if not _has_locks():  # Windows does not remove a file that is open
            os.close(descriptor)
        with suppress(OSError):
            (path / LOCK).unlink(missing_ok=True)
        if _has_locks():
            os.close(descriptor)


def _hold(path: Path) -> int:
    """Lock the file and say in it who we are."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(descriptor)
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                break
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the one that held it has just removed it
    who = {
        "pid": os.getpid(),
        "host": platform.node(),
        "command": command(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(who).encode())
    return descriptor


def _has_locks() -> bool:
    return fcntl is not None


def _lock(descriptor: int) -> None:
    """Lock a file where system and file system know of locks."""
    if not _has_locks():
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        return (
            f"process {int(who['pid'])} on {str(who['host'])!r} since {who['since']} "
            f"({str(who['command'])[:200]!r}); wait until it ends, or end it"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another process; wait until it ends, or end it"


def _remove_leftovers(run: Path) -> None:
    """Remove the temporary files of processes that are no more."""
    folders = [
        run,
        *(entry for entry in run.glob("*") if entry.is_dir() and not entry.is_symlink()),
    ]
    folders += [entry for entry in run.glob("cells/*") if entry.is_dir()]
    for folder in folders:
        for file in leftovers(folder):
            if not _lives(file.name.removeprefix(PREFIX).partition("-")[0]):
                with suppress(OSError):
                    file.unlink()


def _lives(pid: str) -> bool:
    """Whether a process of this machine has the number; that of this process is of an old one."""
    if not _has_locks():  # on Windows the question would end the process
        return int(pid) != os.getpid() if pid.isdecimal() else False
    if not pid.isdecimal() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
