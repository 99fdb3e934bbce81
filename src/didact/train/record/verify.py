"""Whether each file of a run folder is what didact wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from didact._core import digest
from didact._core.errors import DidactError
from didact.train.record.files import read_json, read_object, read_tensors
from didact.train.record.run_folder import (
    LOCK,
    METRICS,
    RESULT,
    SETTINGS,
    RunFolder,
    read_toml,
)

TENSORS = (".safetensors", ".part", ".done")


@dataclass(frozen=True, slots=True)
class Verified:
    """One file, by its path in the folder; ``problem`` is empty where it is as it was written.

    What has no digest, such as a page that is rendered anew at any time, is not ``checked``.
    """

    file: str
    problem: str = ""
    checked: bool = True


def verify_run(folder: str | Path) -> list[Verified]:
    """Read every file of a run and compare it with the digest that was written with it.

    Args:
        folder: Of ``didact distill`` or ``didact learn``, finished or not.

    Returns:
        One entry for each file that has a digest, for each that should be there, and, as not
        checked, for each other file.

    Raises:
        RunFolderError: Not a run folder.
    """
    run = RunFolder.open(Path(folder).expanduser())
    found = [_tried(name, check) for name, check in _checks(run.path)]
    known = {entry.file.removeprefix(f"{RESULT}: ") for entry in found} | {LOCK}
    names = (path.relative_to(run.path).as_posix() for path in _files(run.path))
    return found + [Verified(name, checked=False) for name in names if name not in known]


def _files(run: Path) -> list[Path]:
    return sorted(path for path in run.rglob("*") if path.is_symlink() or not path.is_dir())


def _tried(name: str, check: Callable[[], object]) -> Verified:
    try:
        check()
    except DidactError as error:
        return Verified(name, str(error))
    return Verified(name)


def _checks(run: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    yield SETTINGS, partial(read_toml, run / SETTINGS)
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if path.suffix in TENSORS:
            yield name, partial(_regular, read_tensors, path)
        elif path.name == METRICS:
            yield name, partial(digest.checked_lines, path)
        elif path.suffix == ".json":
            read = _read_result if name == RESULT else read_json
            yield name, partial(_regular, read, path)
    if (run / RESULT).is_file():
        yield from _of_result(run)


def _regular(read: Callable[[Path], object], path: Path) -> object:
    """What is read of a file; of a pipe or a device there is no end."""
    if path.exists() and not path.is_file():
        raise digest.damaged(path, "it is no regular file")
    return read(path)


def _read_result(path: Path) -> None:
    """A result without a digest, beside lines that have one, has lost it: it was written later."""
    read_json(path)
    found = json.loads(path.read_text(encoding="utf-8"))
    if digest.KEY not in found and digest.have_digests(path.parent / METRICS):
        raise digest.damaged(path, f"it has no digest, and {METRICS} has")


def _of_result(run: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """The files whose digests stand in ``result.json``."""
    try:
        files = read_object(run / RESULT).get("files", {})
    except DidactError:
        return  # said already
    for name, stored in files.items() if isinstance(files, dict) else ():
        yield f"{RESULT}: {name}", partial(digest.compare, run / name, stored)
