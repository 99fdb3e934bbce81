"""The data of a run, as its settings want them."""

from __future__ import annotations

import hashlib
from typing import Any

import torch

from didact.data import (
    DATASETS,
    Data,
    Datasets,
    Source,
    Split,
    StreamedSplit,
    prepare,
    read_source,
)
from didact.train.loop.settings import SharedSettings

DataLike = str | Data | Datasets
HASHED_AT_ONCE = 1024


class DataReader:
    """What was given, or what the name stands for: read once, split for each seed.

    It can be sent to another process, which reads again.

    Args:
        given: A name, data that was read before, or datasets ``(train, test)``.
    """

    def __init__(self, given: DataLike) -> None:
        self.given = given
        self._source: Source | None = None

    @property
    def name(self) -> str:
        """What the user asked for."""
        if isinstance(self.given, Data):
            return self.given.name
        return self.given if isinstance(self.given, str) else DATASETS

    def __call__(self, settings: SharedSettings, seed: int) -> Data:
        """The data of a seed.

        Raises:
            DidactError: A name, file or folder that cannot be used.
        """
        if isinstance(self.given, Data):
            return self.given
        if self._source is None:
            self._source = read_source(
                self.given,
                data_dir=settings.data_dir,
                resize=settings.resize,
                task=settings.task_of_data,
            )
        return prepare(
            self._source,
            seed=seed,
            validation=settings.validation,
            labelled=settings.labelled,
            label_noise=settings.label_noise,
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"given": self.given, "_source": None}


def data_of(settings: SharedSettings, given: DataLike | DataReader, seed: int) -> Data:
    """The data of a seed; a reader keeps what it has read.

    Raises:
        DidactError: A name, file or folder that cannot be used.
    """
    reader = given if isinstance(given, DataReader) else DataReader(given)
    return reader(settings, seed)


def digest_of(data: Data) -> str:
    """What tells these images and labels from others.

    All labels and the images that lie in memory; of those that are read when they are asked for,
    the names and sizes of their files: no image is read for this.
    """
    found = hashlib.sha256(repr((data.image_shape, data.class_names)).encode())
    for split in (data.train, data.validation, data.test):
        _add(found, split.labels)
        found.update(repr((len(split), split.image_shape)).encode())
        if isinstance(split, StreamedSplit):  # its images are not read for this
            for file in getattr(split.read, "files", ()):
                found.update(repr((file.name, file.stat().st_size)).encode())
        elif isinstance(split, Split):
            for start in range(0, len(split), HASHED_AT_ONCE):
                end = min(start + HASHED_AT_ONCE, len(split))
                _add(found, split.take(torch.arange(start, end)))
    found.update(data.labelled.cpu().numpy().tobytes())
    return found.hexdigest()


def _add(found: Any, part: torch.Tensor) -> None:
    found.update(repr((part.dtype, tuple(part.shape))).encode())
    if part.numel():
        found.update(part.contiguous().cpu().reshape(-1).view(torch.uint8).numpy().data)
