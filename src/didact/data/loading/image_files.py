"""Reading image files with Pillow; every way in which that fails becomes one kind of error."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from didact._core.errors import DataError

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)  # what cameras say of how they were held
_GREY = ("1", "L", "LA")
_COLOUR = ("RGB", "RGBA", "P", "CMYK", "YCbCr")


def image_header(path: Path) -> tuple[int, int, bool]:
    """Height, width (upright, as the camera says), and whether it has colours; no pixels are read.

    Raises:
        DataError: Not an image, several in one file, or more than 8 bits per channel.
    """
    with _opened(path) as image:
        on_its_side = _refuse_misread(path, image)
        height, width = image.height, image.width
        if on_its_side:
            height, width = width, height
        return height, width, image.mode in _COLOUR


def _refuse_misread(path: Path, image: Image.Image) -> bool:
    """Refuse what Pillow would turn into other pixels; whether the picture lies on its side."""
    if image.mode not in (*_GREY, *_COLOUR):
        raise DataError(
            f"{path} has pixels of mode {image.mode}; expected 8 bits per channel, grey or RGB"
        )
    if getattr(image, "is_animated", False):
        raise DataError(
            f"{path} has several pictures, an animation or pages; expected one: keep the "
            "frame that is meant"
        )
    on_its_side = _orientation(path, image) in _ON_ITS_SIDE
    if on_its_side and image.format == "TIFF":  # some Pillows turn it twice, or mix up its pixels
        raise DataError(
            f"{path} is a TIFF that says that it lies on its side; expected one that is "
            "upright: turn it and save it again, or save it as PNG"
        )
    return on_its_side


def _orientation(path: Path, image: Image.Image) -> object:
    """How the camera was held; pixels of a PNG that says nothing are not read to find out."""
    if image.format == "PNG" and "exif" not in image.info:
        return None
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception as error:
        raise _damaged(path, error) from error


def read_image(path: Path, *, colour: bool, size: tuple[int, int] | None = None) -> Tensor:
    """uint8 ``[1 or 3, H, W]``, upright; scaled until it covers ``size`` and cut at the centre.

    Raises:
        DataError: The file is missing, damaged or cut off, or as in :func:`image_header`.
    """
    try:
        with _opened(path) as image:
            _refuse_misread(path, image)
            upright = ImageOps.exif_transpose(image)
            converted = upright.convert("RGB" if colour else "L")
            if size is not None and size != (converted.height, converted.width):
                bilinear = Image.Resampling.BILINEAR
                converted = ImageOps.fit(converted, (size[1], size[0]), bilinear)
            pixels = np.array(converted)
    except DataError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    return torch.from_numpy(pixels).reshape(*pixels.shape[:2], -1).permute(2, 0, 1).contiguous()


def read_images(paths: Sequence[Path], image_shape: tuple[int, ...]) -> Tensor:
    """uint8 ``[N, C, H, W]`` of files, as a model that knows images of a shape takes them.

    Raises:
        DataError: No file, a file that cannot be read, or a shape that is none of images.
    """
    if len(image_shape) != 3 or image_shape[0] not in (1, 3):
        raise DataError(f"the model takes {image_shape}; expected images with 1 or 3 channels")
    if not paths:
        raise DataError("there is no image; expected one file or more")
    channels, height, width = image_shape
    return torch.stack([read_image(p, colour=channels == 3, size=(height, width)) for p in paths])


def _opened(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(path)
    except FileNotFoundError:
        raise DataError(f"there is no image file or folder {path}") from None
    except Exception as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path} cannot be read as an image ({error}); delete it or replace it by a whole one"
    )
