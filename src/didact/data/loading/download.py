"""Finding the files of a known data set, or fetching them with their checksums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pooch

from didact._core.errors import DataError
from didact.data.loading.registry import Request


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One published file.

    Args:
        name: Its file name.
        md5: Its checksum, as published.
        urls: Where it can be fetched, in the order in which to try.
    """

    name: str
    md5: str
    urls: tuple[str, ...]


def search_folders(request: Request, *places: str) -> list[Path]:
    """Where files may lie: the user's folder and ``places`` in it, or else the user's cache."""
    root = request.data_dir if request.data_dir is not None else cache_folder()
    return [root, *(root / place for place in places)]


def cache_folder() -> Path:
    """The folder for downloads of users who name none."""
    return Path(pooch.os_cache("didact"))


def fetch(files: Sequence[RemoteFile], folder: Path, request: Request, name: str) -> list[Path]:
    """Download ``files`` into ``folder``; each is checked and only then put there.

    Raises:
        DataError: Downloads are not allowed or do not succeed. One message says which files, where
            to get them and where to put them.
    """
    by_hand = "get " + " and ".join(f.urls[0] for f in files) + f" and put them into {folder}"
    if not request.download:
        names = ", ".join(f.name for f in files)
        raise DataError(f"{name}: {names} not found in {folder} and downloading is off; {by_hand}")
    return [_fetch_one(file, folder, f"{name}: {{}}; {by_hand}") for file in files]


def _fetch_one(file: RemoteFile, folder: Path, message: str) -> Path:
    problems = []
    for url in file.urls:
        try:
            path = pooch.retrieve(url, known_hash=f"md5:{file.md5}", fname=file.name, path=folder)
        except (OSError, ValueError) as error:
            problems.append(f"{url}: {_short(error)}")
        else:
            return Path(path)
    raise DataError(message.format(f"{file.name} could not be downloaded ({'; '.join(problems)})"))


def _short(error: Exception) -> str:
    """The first line of an error: that of a failed connection can be a screen long."""
    text = str(error).strip().splitlines()
    first = text[0] if text else type(error).__name__
    return first if len(first) <= 160 else first[:157] + "..."
