"""Reading image files with Pillow; every way in which that fails becomes one kind of error."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from didact._core.errors import DataError

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_GREY = ("1", "L", "LA")
_COLOUR = ("RGB", "RGBA", "P", "CMYK", "YCbCr")


def image_header(path: Path) -> tuple[int, int, bool]:
    """Height, width, and whether it has colours; reads the header only.

    Raises:
        DataError: Not an image, or one of more than 8 bits per channel.
    """
    with _opened(path) as image:
        if image.mode not in (*_GREY, *_COLOUR):
            raise DataError(
                f"{path} has pixels of mode {image.mode}; expected 8 bits per channel, grey or RGB"
            )
        return image.height, image.width, image.mode in _COLOUR


def read_image(path: Path, *, colour: bool) -> Tensor:
    """uint8 ``[1 or 3, H, W]``.

    Raises:
        DataError: The file is missing, damaged or cut off.
    """
    try:
        with _opened(path) as image:
            pixels = np.array(image.convert("RGB" if colour else "L"))
    except DataError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    return torch.from_numpy(pixels).reshape(*pixels.shape[:2], -1).permute(2, 0, 1).contiguous()


def _opened(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(path)
    except Exception as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} cannot be read as an image ({error}); delete it or replace it by a whole one"
    )
