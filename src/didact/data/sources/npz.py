"""A user's own images in one NumPy file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from didact._core.errors import DataError
from didact.data.loading.registry import Parts, Request, source
from didact.data.splits.arrays import checked_split, image_tensor, label_tensor
from didact.data.splits.split import AnySplit, Split
from didact.data.splits.subsets import complement, fixed_test_indices
from didact.data.splits.targets import as_targets, strata_of

_KEYS = ("x", "y", "x_test", "y_test", "is_test", "classes")
Arrays = dict[str, npt.NDArray[Any]]


@source(
    "npz",
    description="your images or table in one .npz: x and y, with x_test and y_test, or is_test",
    licence="yours",
    argument="PATH",
)
def read_npz(request: Request) -> Parts:
    """Images and labels of a ``.npz`` file, without pickles.

    Keys: ``x`` uint8 ``[N, H, W]``, ``[N, H, W, C]`` or ``[N, C, H, W]``, or the numbers of a table
    ``[N, F]``; ``y`` integers ``[N]``, or numbers ``[N, K]``: see ``task_of``; optionally
    ``x_test`` and ``y_test``, or ``is_test`` bool ``[N]``; optionally ``classes``, the names. With
    no word about a test set, a fixed stratified fifth is the test set.

    Raises:
        DataError: The file is missing or damaged, or its arrays are of another form.
    """
    path = Path(request.argument).expanduser()
    arrays = _arrays(path)

    def split(x: str, y: str) -> Split:
        images = image_tensor(arrays[x], f"{path}: {x}")
        return checked_split(images, labels_of(path, arrays, y, request.task), str(path))

    return parts_of_arrays(path, arrays, split, request.task)


def parts_of_arrays(
    path: Path,
    arrays: Arrays,
    split: Callable[[str, str], AnySplit],
    task: str,
) -> Parts:
    """Training and test samples out of named arrays.

    Args:
        path: What messages call them.
        arrays: By name, of which ``x`` and ``y`` are needed.
        split: From the names of samples and labels to a split.
        task: What the labels are, or ``"auto"``.

    Raises:
        DataError: An array is missing, or of another form.
    """
    for key in ("x", "y"):
        if key not in arrays:
            raise DataError(
                f"{path} has no {key!r}; of {', '.join(_KEYS)} it has "
                f"{', '.join(arrays) or 'nothing'}"
            )
    everything = split("x", "y")
    names = class_names(path, arrays, everything)
    if "x_test" in arrays or "y_test" in arrays:
        if "x_test" not in arrays or "y_test" not in arrays:
            raise DataError(f"{path} must have both x_test and y_test, or neither")
        return Parts(everything, split("x_test", "y_test"), names)
    test = _test_indices(path, arrays, everything, task)
    train = complement(test, len(everything))
    return Parts(everything.subset(train), everything.subset(test), names)


def _arrays(path: Path) -> Arrays:
    if not path.is_file():
        raise DataError(f"there is no file {path}; expected npz:PATH with the path of a .npz file")
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{path} is one array; expected a .npz file with arrays x and y")
            with archive:
                return {key: archive[key] for key in archive.files if key in _KEYS}
    except DataError:
        raise
    except Exception as error:  # zip, zlib and NumPy meet damage with errors of every kind
        raise DataError(
            f"{path} is damaged or not a .npz file of plain arrays ({error}); "
            "write it with numpy.savez_compressed, without object arrays"
        ) from error


def labels_of(path: Path, arrays: Arrays, y: str, task: str) -> Tensor:
    """The labels called ``y``, in the form that the task has them.

    Raises:
        DataError: They are of another form.
    """
    array = arrays[y]
    if task == "regression" and array.ndim == 1:
        array = array[:, None]  # whole numbers too are numbers to predict
    labels, _ = as_targets(label_tensor(array, f"{path}: {y}"), task, f"{path}: {y}")
    return labels


def class_names(path: Path, arrays: Arrays, everything: AnySplit) -> tuple[str, ...]:
    """What ``classes`` says, or the numbers of the classes.

    Raises:
        DataError: Names of another form, or class numbers larger than any data of this size has.
    """
    if "classes" in arrays:
        classes = arrays["classes"]
        if classes.ndim != 1:
            raise DataError(f"{path}: classes has shape {classes.shape}; expected one name each")
        return tuple(str(name) for name in classes.tolist())
    if everything.labels.is_floating_point():
        return tuple(str(number) for number in range(everything.labels.shape[1]))
    highest = int(everything.labels.max()) if len(everything) else -1
    if highest >= len(everything):
        raise DataError(
            f"{path}: label {highest} with only {len(everything)} images; expected 0..K-1, and at "
            "least one image per class; numbers to predict are --task regression"
        )
    return tuple(str(number) for number in range(highest + 1))


def _test_indices(path: Path, arrays: Arrays, everything: AnySplit, task: str) -> torch.Tensor:
    if "is_test" not in arrays:
        return fixed_test_indices(*strata_of(*as_targets(everything.labels, task, str(path))))
    is_test = arrays["is_test"]
    if is_test.dtype != np.bool_ or is_test.shape != (len(everything),):
        raise DataError(
            f"{path}: is_test is {is_test.dtype} {is_test.shape}; expected bool "
            f"({len(everything)},)"
        )
    return torch.from_numpy(np.flatnonzero(is_test))
