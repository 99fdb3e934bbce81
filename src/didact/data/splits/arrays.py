"""From NumPy arrays of a file to checked tensors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from didact._core.errors import DataError
from didact.data.splits.split import Split

_CHANNELS = (1, 3)


def image_tensor(array: npt.NDArray[np.generic], where: str) -> Tensor:
    """uint8 ``[N, C, H, W]`` from ``[N, H, W]``, ``[N, H, W, C]`` or ``[N, C, H, W]``.

    The rows of a table, numbers ``[N, F]``, become float32.

    Raises:
        DataError: Another element type or shape.
    """
    if array.ndim == 2 and array.shape[1] and np.issubdtype(array.dtype, np.number):
        return torch.from_numpy(array.astype(np.float32, copy=False))
    if array.dtype != np.uint8:
        raise DataError(
            f"{where} has elements of type {array.dtype}; expected uint8 in 0..255, or "
            "the rows of a table, numbers [N, F]"
        )
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[3] in _CHANNELS and array.shape[1] not in _CHANNELS:
        array = array.transpose(0, 3, 1, 2)
    elif array.ndim != 4 or array.shape[1] not in _CHANNELS or array.shape[3] in _CHANNELS:
        raise DataError(
            f"{where} has shape {array.shape}; expected [N, H, W], [N, H, W, C] or [N, C, H, W] "
            "with 1 or 3 channels C"
        )
    if 0 in array.shape[1:]:
        raise DataError(f"{where} has shape {array.shape}; expected images with pixels")
    return torch.from_numpy(array)  # a view: a copy of all images would take as much again


def label_tensor(array: npt.NDArray[np.generic], where: str) -> Tensor:
    """int64 ``[N]`` from any integers ``[N]``; float32 ``[N, K]`` from any other numbers.

    Raises:
        DataError: Not numbers, of another shape, or negative class numbers.
    """
    whole = np.issubdtype(array.dtype, np.integer)
    if array.ndim == 2 or (array.ndim == 1 and not whole):
        if array.dtype != np.bool_ and not np.issubdtype(array.dtype, np.number):
            raise DataError(
                f"{where} is {array.dtype}; expected integers [N], one class number per image, or "
                "numbers [N, K]"
            )
        return torch.from_numpy(array.astype(np.float32).reshape(len(array), -1))
    if not np.issubdtype(array.dtype, np.integer) or array.ndim != 1:
        raise DataError(
            f"{where} is {array.dtype} of shape {array.shape}; expected integers [N], one class "
            "number per image, or numbers [N, K]"
        )
    # A uint64 beyond int64 would come out negative here, and is refused as such.
    labels = torch.from_numpy(array.astype(np.int64))
    if len(labels) and int(labels.min()) < 0:
        index = int(labels.argmin())
        raise DataError(f"{where}: image {index} has label {array[index]}; expected 0 or more")
    return labels


def checked_split(images: Tensor, labels: Tensor, where: str) -> Split:
    """A split of as many labels as images.

    Raises:
        DataError: The numbers differ.
    """
    if len(images) != len(labels):
        raise DataError(f"{where} has {len(images)} images and {len(labels)} labels")
    return Split(images, labels)
