"""The IDX format of MNIST, plain or gzipped, and the data sets that come in four such files."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from didact._core.errors import DataError
from didact.data.loading.download import RemoteFile, fetch, search_folders
from didact.data.loading.registry import Parts, Request
from didact.data.splits.arrays import checked_split, image_tensor, label_tensor
from didact.data.splits.split import Split

_UINT8 = 0x08
_PARTS = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True, slots=True)
class IdxSet:
    """A data set in four IDX files, which all such sets give the same names.

    Args:
        name: As in the list of sources.
        places: Folders inside the data folder in which the files may lie.
        url: Where the files are, with a slash at the end.
        md5: The checksums of the four gzipped files: training images and labels, test likewise.
        class_names: One per class.
    """

    name: str
    places: tuple[str, ...]
    url: str
    md5: tuple[str, str, str, str]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        _set_of_checksum.update(dict.fromkeys(self.md5, self.name))


_set_of_checksum: dict[str, str] = {}


def read_idx_set(known: IdxSet, request: Request) -> Parts:
    """Find or fetch the four files of a set and parse them.

    Files in the user's own folder need not have the published checksum, but they must parse, and
    must not be those of another set under the same names.

    Raises:
        DataError: Files are missing, damaged or another set's.
    """
    paths = _found(known, request)
    if paths is None:
        folder = search_folders(request, *known.places)[1]
        remote = [
            RemoteFile(f"{part}.gz", md5, (f"{known.url}{part}.gz",))
            for part, md5 in zip(_PARTS, known.md5, strict=True)
        ]
        paths = fetch(remote, folder, request, known.name)
    for path in paths:
        other = _set_of_checksum.get(
            hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest(), known.name
        )
        if other != known.name:
            raise DataError(
                f"{path} is a file of {other}, not of {known.name}; put each set into a folder of "
                f"its own, such as {known.places[0]}"
            )
    train, test = (_split(images, labels) for images, labels in (paths[:2], paths[2:]))
    return Parts(train, test, known.class_names)


def _found(known: IdxSet, request: Request) -> list[Path] | None:
    """The four files of the first folder that has any of them; else ``None``."""
    for folder in search_folders(request, *known.places):
        found = {
            part: next((p for p in (folder / f"{part}.gz", folder / part) if p.is_file()), None)
            for part in _PARTS
        }
        if all(found.values()):
            return [path for path in found.values() if path is not None]
        missing = [part for part, path in found.items() if path is None]
        if len(missing) < len(_PARTS):
            raise DataError(
                f"{known.name}: {folder} has some of its files, but not "
                f"{', '.join(m + '.gz' for m in missing)}; get them from {known.url}"
            )
    return None


def _split(image_path: Path, label_path: Path) -> Split:
    images = image_tensor(read_idx(image_path, dimensions=3), str(image_path))
    labels = label_tensor(read_idx(label_path, dimensions=1), str(label_path))
    return checked_split(images, labels, f"{image_path.name} with {label_path.name}")


def read_idx(path: Path, *, dimensions: int) -> npt.NDArray[np.uint8]:
    """Parse an IDX file of bytes: magic ``0 0 8 d``, ``d`` big-endian uint32 sizes, the bytes.

    Raises:
        DataError: The file is missing, damaged, too short, too long or of another kind.
    """
    try:
        with path.open("rb") as plain:
            zipped = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            stream = cast("IO[bytes]", gzip.GzipFile(fileobj=plain)) if zipped else plain
            return _parse(stream, path, dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is damaged or incomplete ({error}); delete it and get it again"
        ) from error


def _parse(stream: IO[bytes], path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    header = stream.read(4 + 4 * dimensions)
    if header[:4] != bytes((0, 0, _UINT8, dimensions)):
        raise DataError(
            f"{path} begins with {header[:4].hex(' ')!r}; expected '00 00 08 {dimensions:02x}': an "
            f"IDX file of bytes with {dimensions} dimension(s)"
        )
    if len(header) < 4 + 4 * dimensions:
        raise DataError(f"{path} ends inside its header; delete it and get it again")
    sizes = struct.unpack(f">{dimensions}I", header[4:])
    expected = math.prod(sizes)
    # At most one byte more than announced is read, so a small file cannot unpack to a huge one;
    # in pieces, so an announced size that is absurd is not allocated.
    pieces, length = [], 0
    while piece := stream.read(min(2**22, expected + 1 - length)):
        pieces.append(piece)
        length += len(piece)
    if length != expected:
        state = "is cut off" if length < expected else "is longer than it says"
        raise DataError(
            f"{path} {state}: it announces {' x '.join(map(str, sizes))} = {expected} bytes and "
            f"has {'more' if length > expected else length}; delete it and get it again"
        )
    return np.frombuffer(bytearray(b"".join(pieces)), dtype=np.uint8).reshape(sizes)
