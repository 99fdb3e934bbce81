"""The published Python archives of CIFAR: a tar.gz of pickles, or the folder extracted from it."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from didact._core.errors import DataError
from didact.data.loading.download import RemoteFile, fetch, search_folders
from didact.data.loading.registry import Parts, Request
from didact.data.sources._restricted_pickle import read_pickled_dict
from didact.data.splits.arrays import checked_split, label_tensor
from didact.data.splits.split import Split

_LARGEST_MEMBER = 400 * 1024**2
_PIXELS = 3 * 32 * 32


@dataclass(frozen=True, slots=True)
class CifarSet:
    """One of the two CIFAR archives.

    Args:
        name: As in the list of sources.
        folder: The folder inside the archive.
        archive: The archive, its checksum and where to get it.
        train: The files with the training images.
        test: The file with the test images.
        meta: The file with the names of the classes.
        label_key: Under which key the labels are.
        names_key: Under which key, in ``meta``, the names of the classes are.
    """

    name: str
    folder: str
    archive: RemoteFile
    train: tuple[str, ...]
    test: str
    meta: str
    label_key: str
    names_key: str


def cifar_urls(file_name: str) -> tuple[str, ...]:
    """Where an archive is published."""
    hosts = ("www.cs.toronto.edu/~kriz", "cave.cs.toronto.edu/kriz")
    return tuple(f"https://{host}/{file_name}" for host in hosts)


def read_cifar(known: CifarSet, request: Request) -> Parts:
    """Find or fetch a CIFAR archive and read its images.

    Raises:
        DataError: Files are missing or damaged, or are not what they should be.
    """
    content = _contents(known, request)
    meta = read_pickled_dict(content[known.meta], known.meta)
    names = meta.get(known.names_key)
    if not isinstance(names, list) or not all(isinstance(n, (str, bytes)) for n in names):
        raise DataError(f"{known.meta} has no list of names under {known.names_key!r}")
    class_names = tuple(n.decode() if isinstance(n, bytes) else n for n in names)
    batches = [_batch(known, content[name], name) for name in known.train]
    train = Split(
        torch.cat([batch.images for batch in batches]),
        torch.cat([batch.labels for batch in batches]),
    )
    return Parts(train, _batch(known, content[known.test], known.test), class_names)


def _contents(known: CifarSet, request: Request) -> dict[str, bytes]:
    for folder in search_folders(request, known.name):
        if folder.name == known.folder and folder.is_dir():
            return _from_folder(known, folder)
        if (folder / known.folder).is_dir():
            return _from_folder(known, folder / known.folder)
        if (folder / known.archive.name).is_file():
            return _from_archive(known, folder / known.archive.name)
    folder = search_folders(request, known.name)[1]
    return _from_archive(known, fetch([known.archive], folder, request, known.name)[0])


def _members(known: CifarSet) -> list[str]:
    return [*known.train, known.test, known.meta]


def _from_folder(known: CifarSet, folder: Path) -> dict[str, bytes]:
    missing = [name for name in _members(known) if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"{known.name}: {folder} lacks {', '.join(missing)}; extract "
            f"{known.archive.name} again ({known.archive.urls[0]})"
        )
    return {name: (folder / name).read_bytes() for name in _members(known)}


def _from_archive(known: CifarSet, path: Path) -> dict[str, bytes]:
    """Read the wanted members into memory: nothing is written, whatever the members are called."""
    wanted = {f"{known.folder}/{name}": name for name in _members(known)}
    content: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                name = wanted.get(member.name.removeprefix("./"))
                if name is None or not member.isreg() or member.size > _LARGEST_MEMBER:
                    continue
                stream = archive.extractfile(member)
                content[name] = stream.read() if stream is not None else b""
                if len(content) == len(wanted):
                    break
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path} is damaged or incomplete ({error}); delete it and get it again from "
            f"{known.archive.urls[0]}"
        ) from error
    missing = [name for name in _members(known) if name not in content]
    if missing:
        raise DataError(f"{path} lacks {', '.join(missing)}; get it from {known.archive.urls[0]}")
    return content


def _batch(known: CifarSet, content: bytes, name: str) -> Split:
    found: Mapping[str, Any] = read_pickled_dict(content, name)
    pixels, labels = found.get("data"), found.get(known.label_key)
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != _PIXELS:
        raise DataError(f"{name} has no array [N, {_PIXELS}] under 'data'")
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise DataError(f"{name} has no list of whole numbers under {known.label_key!r}")
    if any(not 0 <= label < 2**31 for label in labels):
        raise DataError(f"{name} has a label outside the classes: {min(labels)}..{max(labels)}")
    images = torch.from_numpy(np.array(pixels).reshape(-1, 3, 32, 32))
    return checked_split(images, label_tensor(np.array(labels, dtype=np.int64), name), name)
