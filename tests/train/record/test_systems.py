"""Other systems: no locks, no waiting for folders, names that Windows keeps for itself."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.train.distilling.support import QUICK, plain_model, small_data

from didact.train import distill, verify_run
from didact.train.record import lock

RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{n}{i}" for n in ("COM", "LPT") for i in range(1, 10))}


def run_into(folder: Path) -> None:
    models = {"student": plain_model, "teacher": plain_model}
    distill(**models, data=small_data(), output=folder, **QUICK)
    assert not [entry for entry in verify_run(folder) if entry.problem]


def test_without_locks_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "fcntl", None)
    run_into(tmp_path / "run")
    assert not list((tmp_path / "run").rglob(".lock"))


def test_the_module_is_imported_without_fcntl() -> None:
    code = (
        "import sys; sys.modules['fcntl'] = None\n"
        "from didact.train.record import lock\n"
        "assert lock.fcntl is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as some network file systems: the run takes place, unlocked."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    run_into(tmp_path / "run")


def test_nobody_is_asked_for_where_asking_ends_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows ``os.kill(pid, 0)`` sends Ctrl-C; what another process may still write stays."""

    def killed(*_: object) -> None:
        raise AssertionError("a process was ended")

    monkeypatch.setattr(lock, "fcntl", None)
    monkeypatch.setattr(os, "kill", killed)
    (tmp_path / ".didact-1-0.tmp").write_text("of another")
    with lock.locked(tmp_path):
        pass
    assert (tmp_path / ".didact-1-0.tmp").exists()


def test_folders_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows: there is nothing to wait for."""
    real = os.open

    def refuse(path: str, flags: int, *rest: int, **options: object) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, flags, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    run_into(tmp_path / "run")


def test_no_name_is_kept_by_windows(tmp_path: Path) -> None:
    """Of no file that a run writes: neither a device, nor a character that is refused there."""
    run_into(tmp_path / "run")
    for path in (tmp_path / "run").rglob("*"):
        assert path.name.partition(".")[0].upper() not in RESERVED
        assert not set(path.name) & set('<>:"/\\|?*')
        assert not path.name.endswith((".", " "))
