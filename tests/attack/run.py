"""Small runs in processes of their own on a disk that fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from tests.attack.disk import Disk, die, fail_with
from tests.train.distilling.run_process import SETTINGS as DISTILL
from tests.train.learning.support import SETTINGS as LEARN

from didact._core.errors import DidactError
from didact.train import distill, learn, resume, resume_learning

QUICK = {"checkpoint_seconds": 0.0, "epochs": 1}


def start_or_go_on(kind: str, folder: Path, parts: dict[str, Any]) -> None:
    """The run to its end."""
    if (folder / "result.json").exists():
        return
    if (folder / "run.toml").exists():
        (resume if kind == "distill" else resume_learning)(folder)
    elif kind == "distill":
        distill(**parts, output=folder, **{**DISTILL, **QUICK, "seeds": (0,), "batch_size": 24})
    else:
        settings = {**LEARN, **QUICK, "method": "replay", "batch_size": 16}
        learn(**parts, output=folder, **settings)


def process(
    folder: str, kind: str, parts: dict[str, Any], how: str = "", at: int = -1, number: int = 0
) -> None:
    """One process of a run.

    Args:
        folder: Of the run.
        kind: ``"distill"`` or ``"learn"``.
        parts: Data and models.
        how: ``"kill"``, ``"power"``, ``"error"``, or ``"count"``.
        at: At which operation.
        number: Of the error.
    """
    path = Path(folder)
    disk = Disk(path, at, die)
    if how == "power":

        def cut() -> None:
            disk.leave_only_what_is_durable(path.with_name(path.name + "-image"))
            os._exit(9)

        disk.act = cut
    elif how == "error":
        disk.act = fail_with(number or errno.EIO)
    if how:
        disk.install()
    try:
        start_or_go_on(kind, path, parts)
    except DidactError as error:
        path.with_name("error.txt").write_text(f"{type(error).__name__}: {error}")
        os._exit(2)
    if how == "count":
        path.with_name("count.txt").write_text(str(disk.count))
