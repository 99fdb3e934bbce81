"""The data of a run, as its settings want them."""

from __future__ import annotations

import hashlib

import torch

from didact.data import Data, Split, StreamedSplit, load
from didact.train.loop.settings import SharedSettings


def data_of(settings: SharedSettings, given: str | Data, seed: int) -> Data:
    """What was given, or what the name stands for, split for a seed.

    Raises:
        DidactError: A name, file or folder that cannot be used.
    """
    if isinstance(given, Data):
        return given
    return load(
        given,
        data_dir=settings.data_dir,
        seed=seed,
        validation=settings.validation,
        labelled=settings.labelled,
        label_noise=settings.label_noise,
    )


def digest_of(data: Data) -> str:
    """What tells these images and labels from others.

    All labels and the images that lie in memory; of those that are read when they are asked for,
    the names and sizes of their files: no image is read for this.
    """
    found = hashlib.sha256(repr((data.image_shape, data.class_names)).encode())
    for split in (data.train, data.validation, data.test):
        for part in (split.labels, split.images) if isinstance(split, Split) else (split.labels,):
            found.update(repr((part.dtype, tuple(part.shape))).encode())
            if part.numel():
                found.update(part.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().data)
        if isinstance(split, StreamedSplit):
            for file in getattr(split.read, "files", ()):
                found.update(repr((file.name, file.stat().st_size)).encode())
    found.update(data.labelled.cpu().numpy().tobytes())
    return found.hexdigest()
