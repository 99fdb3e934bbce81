"""The models in use: the small ones that are shipped, or those of a folder."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from didact_plates.finding import LEAST_SURE, Finder


def finder(model: Path | None = None, *, least: float | None = None, threads: int = 1) -> Finder:
    """A finder with the shipped reader, or with that of a folder.

    Args:
        model: A folder that ``didact-plates train`` wrote; by default the shipped models.
        least: Confidence below which a reading is no plate.
        threads: CPU threads.

    Raises:
        ModelFileError: The folder has no models, or they are damaged.
    """
    import cv2
    import torch

    reader = import_module("didact_plates.reader").Reader
    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
    return Finder(reader.load(model), least_sure=LEAST_SURE if least is None else least)
