"""Logits that a teacher gave before, in the place of the teacher."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from didact._core.errors import CheckpointError, ModelError
from didact.data import AnySplit, Data, Split

_PARTS = ("train", "validation", "test")


class CachedLogits(nn.Module):
    """What a teacher said of each image of a data set, looked up by the image's place.

    Args:
        arrays: ``train`` and ``test``, perhaps ``validation``, each ``(images, classes)`` in the
            order of the source: that of the file, before didact sets images aside. Where the
            source has no test images of its own, ``train`` alone, with a row for every image.
        data: Whose images they are.
        what: What messages call them.

    Raises:
        ModelError: An array is missing, or has not a row for every image, or other classes.
    """

    def __init__(self, arrays: Mapping[str, Tensor], data: Data, what: str) -> None:
        super().__init__()
        self.what = what
        self._tables: list[tuple[object, Tensor]] = []
        for part in _PARTS:
            split: AnySplit = getattr(data, part)
            if len(split) and self._table_of(split) is None:
                self._add(part, split, arrays, data)

    def _add(self, part: str, split: AnySplit, arrays: Mapping[str, Tensor], data: Data) -> None:
        if part not in arrays:
            raise ModelError(
                f"{self.what} has no {part!r}, and the {part} images of {data.name} are stored "
                f"apart from the others; it has {', '.join(arrays) or 'nothing'}"
            )
        table, needed = arrays[part], _stored(split)
        if table.dim() != 2 or table.shape[1] != data.num_classes or len(table) < needed:
            raise ModelError(
                f"{self.what}: {part} is {tuple(table.shape)}; expected "
                f"({needed}, {data.num_classes}): a row for every image in the order of "
                f"{data.name}, before any are set aside for validation or test"
            )
        self._tables.append((_store_of(split), table.float()))

    def _table_of(self, split: AnySplit) -> Tensor | None:
        store = _store_of(split)
        return next((table for known, table in self._tables if known is store), None)

    def of(self, split: AnySplit) -> Tensor:
        """The logits of the images of a split, ``(images, classes)``."""
        table = self._table_of(split)
        if table is None:
            raise ModelError(f"{self.what} knows nothing of these images")
        rows = split.rows if isinstance(split, Split) else split.positions
        return table[: len(split)] if rows is None else table[rows]

    def __deepcopy__(self, memo: dict[int, Any]) -> CachedLogits:
        """The tables are shared: they do not change."""
        return self

    def forward(self, images: Tensor) -> Tensor:  # noqa: ARG002
        """Not possible: the logits belong to images of the data, not to any."""
        raise ModelError(
            f"{self.what} knows the images of the data as they are stored, and no others: leave "
            "out augmentation and losses on features, or give the teacher itself"
        )


def _store_of(split: AnySplit) -> object:
    return split.whole if isinstance(split, Split) else split.read


def _stored(split: AnySplit) -> int:
    return len(split.whole) if isinstance(split, Split) else int(split.positions.max()) + 1


def read_logits(path: Path) -> dict[str, Tensor]:
    """The arrays of a ``.npz`` file of logits.

    Raises:
        CheckpointError: The file is missing, damaged, or has something else than numbers.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no file {path}")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files if key in _PARTS}
        return {key: torch.from_numpy(array.astype(np.float32)) for key, array in arrays.items()}
    except Exception as error:  # zip, zlib and NumPy meet damage with errors of every kind
        raise CheckpointError(
            f"{path} is damaged or no .npz file of numbers ({error}); write it with "
            "numpy.savez(FILE, train=..., test=...)"
        ) from error
