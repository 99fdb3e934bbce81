"""A run in a process of its own, to be killed."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path
from typing import Any

from tests.train.distilling.support import QUICK

from didact._core.errors import DidactError
from didact.train import distill, resume

SETTINGS: dict[str, Any] = {
    **QUICK,
    "epochs": 8,
    "seeds": (0, 1),
    "batch_size": 8,
    "checkpoint_seconds": 0.0,
    "select": "validation",
}
MODEL = """
import torch
from torch import nn
from tests.train.distilling.support import small_data, small_model, plain_model


def data(**_):
    return small_data()
"""


def names(folder: Path) -> dict[str, str]:
    """A file of the user's, so that ``run.toml`` alone is enough to go on."""
    file = folder / "parts.py"
    file.write_text(MODEL)
    return {
        "student": f"{file}:small_model",
        "teacher": f"{file}:plain_model",
        "data": f"{file}:data",
    }


def start_or_resume(folder: str, parts: dict[str, str], file_limit: int | None = None) -> None:
    if file_limit is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    if (Path(folder) / "result.json").exists():
        return  # killed after its last word
    try:
        if (Path(folder) / "run.toml").exists():
            resume(folder)
        else:
            distill(**parts, output=folder, **SETTINGS)
    except DidactError as error:
        (Path(folder).parent / "error.txt").write_text(f"{type(error).__name__}: {error}")
        os._exit(2)
