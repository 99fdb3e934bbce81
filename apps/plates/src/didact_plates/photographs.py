"""Photographs from files, folders, films and cameras, whatever form they have, as BGR."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from didact_plates.errors import PictureError
from didact_plates.locate import Image
from didact_plates.texts import say

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
FILMS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".ts")
MOST_PIXELS = 200_000_000
"""Of a photograph: more than any camera takes, less than fills the memory."""
ENOUGH = 3200
"""Pixels of the longer side that are kept; a plate on a larger photograph is large enough."""
EVERY = 10
"""Of the frames of a film, which one is looked at."""

os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # it is read once; what is wrong is said here

_NOT_READ = (OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError, KeyError,
             AttributeError, struct.error, zlib.error, OverflowError)  # fmt: skip
"""What Pillow raises about a damaged file, depending on its form."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """One photograph, or one frame of a film or camera.

    Attributes:
        name: The file as it was named, or ``camera 0``.
        image: BGR, uint8; None where it could not be read.
        frame: Its number in a film, from 0; None of a photograph.
        problem: The sentence that says why it could not be read.
        scale: How many times as large the file's own picture is.
    """

    name: str
    image: Image | None
    frame: int | None = None
    problem: str = ""
    scale: float = 1.0


def photographs(sources: Iterable[str], every: int = EVERY) -> Iterator[Photograph]:
    """The photographs that sources name, one after the other.

    What cannot be read comes as a :class:`Photograph` with a problem, so that the others are read.

    Args:
        sources: Files, folders (with all folders below), films, and numbers of cameras.
        every: Of the frames of a film or camera, which one is looked at.
    """
    for source in sources:
        path = Path(source)
        try:
            if source.isdecimal() and not path.exists():
                yield from camera(int(source), every)
            elif not source:
                raise PictureError(say("one of the photographs has no name"))
            elif path.is_dir():
                yield from _folder(path, every)
            elif path.suffix.lower() in FILMS and path.is_file():
                yield from film(path, every)
            else:
                yield _opened(path)
        except PictureError as error:
            yield Photograph(source, None, problem=str(error))


def _folder(folder: Path, every: int) -> Iterator[Photograph]:
    try:
        files = sorted(
            Path(parent, name)
            for parent, _, names in os.walk(folder, onerror=_raise)
            for name in names
            if Path(name).suffix.lower() in (*PICTURES, *FILMS) and not name.startswith(".")
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise PictureError(
            say("the folder {file} cannot be read: {reason}", file=error.filename, reason=reason)
        ) from None
    if not files:
        endings = ", ".join((*PICTURES, *FILMS))
        raise PictureError(
            say(
                "the folder {file} has no photograph; expected files that end in {endings}",
                file=folder,
                endings=endings,
            )
        )
    yield from photographs(map(str, files), every)


def _raise(error: OSError) -> None:
    raise error


def _opened(path: Path) -> Photograph:
    image, scale = open_picture(path)
    return Photograph(str(path), image, scale=scale)


def open_picture(path: Path) -> tuple[Image, float]:
    """A picture file as BGR, upright by its EXIF tag, and how many times as large the file's is.

    Grey pictures, those with transparency (over white), with a palette, in CMYK and of 16 bits are
    turned into BGR of 8 bits; one with a longer side of more than :data:`ENOUGH` is made smaller.

    Raises:
        PictureError: There is no such file, or it is no picture, too large or damaged.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise PictureError(say("{file} is no regular file", file=path))  # a pipe never ends
        with path.open("rb") as file:
            return _decoded(file, str(path))
    except FileNotFoundError:
        raise PictureError(say("there is no file {file}", file=path)) from None
    except IsADirectoryError:
        raise PictureError(say("{file} is a folder", file=path)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise PictureError(
            say("{file} cannot be read: {reason}", file=path, reason=reason)
        ) from None


def decode_picture(content: bytes, name: str) -> tuple[Image, float]:
    """The same of a file's content.

    Raises:
        PictureError: It is no picture, too large or damaged.
    """
    return _decoded(io.BytesIO(content), name)


def _decoded(file: object, name: str) -> tuple[Image, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged tags, and of sizes that are looked at here
        limit, PillowImage.MAX_IMAGE_PIXELS = PillowImage.MAX_IMAGE_PIXELS, None
        try:
            picture = PillowImage.open(file)  # type: ignore[arg-type]
            width, height = picture.size
            if width * height > MOST_PIXELS:
                raise PictureError(_too_large(name, width, height))
            picture.draft("RGB", (ENOUGH, ENOUGH))  # of JPEG, read at a half or less
            return _as_bgr(ImageOps.exif_transpose(picture), max(width, height))
        except PictureError:
            raise
        except UnidentifiedImageError:
            raise PictureError(_no_picture(file, name)) from None
        except _NOT_READ as error:
            reason = str(error) or type(error).__name__
            raise PictureError(
                say("{file} is damaged: {reason}", file=name, reason=reason)
            ) from None
        finally:
            PillowImage.MAX_IMAGE_PIXELS = limit


def _no_picture(file: object, name: str) -> str:
    """What to say of a file that Pillow does not know; nothing is in it, or something else."""
    assert isinstance(file, io.IOBase)
    if file.seek(0, io.SEEK_END) == 0:
        return say("{file} is of no size: there is nothing in it", file=name)
    return say(
        "{file} is no picture that can be read; "
        "expected JPEG, PNG, BMP, GIF, WebP or TIFF of 8 or 16 bits",
        file=name,
    )


def _too_large(name: str, width: int, height: int) -> str:
    return say(
        "{file} has {size} megapixels ({width} x {height}), more than {most}: make it smaller",
        file=name,
        size=round(width * height / 1e6),
        width=width,
        height=height,
        most=MOST_PIXELS // 1_000_000,
    )


def _as_bgr(picture: PillowImage.Image, longest: int) -> tuple[Image, float]:
    if picture.mode.startswith(("I", "F")):
        picture = _of_eight_bits(np.asarray(picture, dtype=np.float32))
    elif picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        colours = picture.convert("RGBA")
        white = PillowImage.new("RGBA", picture.size, "white")
        picture = PillowImage.alpha_composite(white, colours)
    picture = picture.convert("RGB")
    if max(picture.size) > ENOUGH:
        picture.thumbnail((ENOUGH, ENOUGH), PillowImage.Resampling.BOX)
    image = np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
    return image, longest / max(image.shape[:2])


def _of_eight_bits(values: np.ndarray) -> PillowImage.Image:
    """Grey of 16 bits or of real numbers: 0..65535, 0..255 or 0..1, whichever they fit in."""
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    largest = float(values.max(initial=0.0))
    top = 1.0 if largest <= 1 else 255.0 if largest <= 255 else max(65535.0, largest)
    return PillowImage.fromarray(np.clip(values * (255 / top), 0, 255).astype(np.uint8))


def film(path: Path, every: int = EVERY) -> Iterator[Photograph]:
    """Frames of a film.

    Raises:
        PictureError: It cannot be opened, or has no frame that can be read.
    """
    yield from _frames(str(path), str(path), every)


def camera(number: int, every: int = EVERY) -> Iterator[Photograph]:
    """What a camera sees, until it is stopped.

    Raises:
        PictureError: There is no such camera.
    """
    yield from _frames(number, say("camera {number}", number=number), every)


def _frames(source: str | int, name: str, every: int) -> Iterator[Photograph]:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    backend = cv2.CAP_ANY  # of which some print what they do not understand
    if isinstance(source, str) and cv2.CAP_FFMPEG in cv2.videoio_registry.getStreamBackends():
        backend = cv2.CAP_FFMPEG
    capture = cv2.VideoCapture(source, backend)
    try:
        if not capture.isOpened():
            raise PictureError(_not_opened(source, name))
        number = -1
        while capture.grab():
            number += 1
            if number % every:
                continue
            found, image = capture.retrieve()
            if found and image is not None:
                yield Photograph(name, np.ascontiguousarray(image), frame=number)
        if number < 0:
            raise PictureError(
                say("{file} has no frame that can be read; it may be damaged", file=name)
            )
    finally:
        capture.release()


def _not_opened(source: str | int, name: str) -> str:
    if isinstance(source, int):
        return say("there is no {camera}, or another program uses it", camera=name)
    return say("{file} is no film that can be read; it may be damaged", file=name)
