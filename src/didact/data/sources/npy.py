"""A user's own arrays that are larger than the memory, in .npy files of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from didact._core.errors import DataError
from didact.data.loading.registry import Parts, Request, source
from didact.data.sources.npz import Arrays, labels_of, parts_of_arrays
from didact.data.splits.arrays import checked_split, image_tensor
from didact.data.splits.split import AnySplit, StreamedSplit

_CHECKED = 2


@dataclass(frozen=True, slots=True)
class _MappedReader:
    """Reads a sample of a memory map; another process maps the file again."""

    files: tuple[Path]

    def __call__(self, position: int) -> Tensor:
        sample = np.array(_mapped(self.files[0])[position : position + 1])
        return image_tensor(sample, str(self.files[0]))[0]


@lru_cache(maxsize=8)
def _mapped(path: Path) -> npt.NDArray[np.generic]:
    """The map of a file, once in each process."""
    return _load(path, mapped=True)


@source(
    "npy",
    description="your images or table as x.npy and y.npy of a folder, memory-mapped where large",
    licence="yours",
    argument="FOLDER",
)
def read_npy(request: Request) -> Parts:
    """Arrays of a folder of ``.npy`` files, as ``npz:`` has them in one file.

    ``x.npy`` and ``y.npy``, optionally ``x_test.npy`` and ``y_test.npy``, or ``is_test.npy``, and
    ``classes.npy``. Samples that would not fit in the memory budget stay on the disk: each batch is
    read from the map, and nothing else of them is in memory.

    Raises:
        DataError: The folder or a file is missing or damaged, or an array is of another form.
    """
    folder = Path(request.argument).expanduser()
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; expected npy:FOLDER with x.npy and y.npy")
    small = ("y", "y_test", "is_test", "classes")
    arrays: Arrays = {
        name: _load(folder / f"{name}.npy", mapped=False)
        for name in small
        if (folder / f"{name}.npy").is_file()
    }
    mapped = {
        name: _load(folder / f"{name}.npy", mapped=True)
        for name in ("x", "x_test")
        if (folder / f"{name}.npy").is_file()
    }
    large = sum(array.nbytes for array in mapped.values()) > request.memory_budget

    def split(x: str, y: str) -> AnySplit:
        file = folder / f"{x}.npy"
        labels = labels_of(file.parent, arrays, y, request.task)
        if not large:
            images = image_tensor(_load(file, mapped=False), str(file))
            return checked_split(images, labels, str(file))
        return _streamed(file, mapped[x], labels)

    return parts_of_arrays(folder, {**arrays, **mapped}, split, request.task)


def _streamed(file: Path, array: npt.NDArray[np.generic], labels: Tensor) -> StreamedSplit:
    if len(array) != len(labels):
        raise DataError(f"{file} has {len(array)} samples and {len(labels)} labels")
    shape = tuple(image_tensor(np.array(array[:_CHECKED]), str(file)).shape[1:])
    return StreamedSplit(_MappedReader((file,)), torch.arange(len(array)), labels, shape)


def _load(path: Path, *, mapped: bool) -> npt.NDArray[np.generic]:
    try:
        array: npt.NDArray[np.generic] = np.load(
            path, mmap_mode="r" if mapped else None, allow_pickle=False
        )
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"{path} is damaged or no .npy file of numbers ({error}); write it with numpy.save"
        ) from error
    return array
