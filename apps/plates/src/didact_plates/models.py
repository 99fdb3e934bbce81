"""The models in use: the small ones that are shipped, or those of a folder."""

from __future__ import annotations

from pathlib import Path

from didact_plates.errors import ModelFileError
from didact_plates.finding import LEAST_SURE, Finder
from didact_plates.texts import say

NAME = "student.safetensors"
"""What the reader's file is called in a folder that ``didact-plates train`` wrote."""


def finder(model: Path | None = None, *, least: float | None = None, threads: int = 1) -> Finder:
    """A finder with the shipped reader, or with that of a folder.

    Args:
        model: A folder that ``didact-plates train`` wrote, or the file in it; by default what is
            shipped.
        least: Confidence below which a reading is no plate.
        threads: CPU threads.

    Raises:
        ModelFileError: There is no reader, or it is damaged.
    """
    import cv2
    import numpy as np
    import torch

    from didact_plates.reader import Reader

    if model is not None and not model.exists():
        raise ModelFileError(say("there is no file {file}", file=model))
    path = model
    if model is not None and model.is_dir():
        path = model / NAME
        if not path.exists():
            raise ModelFileError(
                say(
                    "the folder {folder} has no {file}; expected what didact-plates train wrote",
                    folder=model,
                    file=NAME,
                )
            )
    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
    reader = Reader.load(path)
    reader.read([np.zeros((32, 96, 3), np.uint8)])  # the first time takes ten times as long
    return Finder(reader, least_sure=LEAST_SURE if least is None else least)
