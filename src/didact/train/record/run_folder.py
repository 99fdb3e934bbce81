"""The run folder: the record of a run, and what a killed run goes on from."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from didact._core.atomic import leftovers
from didact._core.errors import RunFolderError
from didact.train.record.files import cannot_write, write_bytes, write_json

SETTINGS = "run.toml"
METRICS = "metrics.jsonl"
RESULT = "result.json"
DISAGREEMENTS = "disagreements.json"
STUDENT = "student.safetensors"
ONNX = "student.onnx"
CHECKPOINT = "checkpoint"
CELLS = "cells"

Row = dict[str, Any]


class RunFolder:
    """One folder with the names above in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, settings: str, *, overwrite: bool = False) -> RunFolder:
        """Make the folder and write ``run.toml`` into it.

        Raises:
            RunFolderError: It exists and is not empty, and ``overwrite`` is false or it is not a
                run folder; or it cannot be written.
        """
        if path.exists() and not _is_unused(path):
            if not overwrite:
                raise RunFolderError(
                    f"{path} exists already; go on with --resume {path}, "
                    "replace it with --overwrite, or name another with --output"
                )
            if not (path / SETTINGS).is_file():
                raise RunFolderError(
                    f"{path} is not a run folder (it has no {SETTINGS}); it is left as it is"
                )
            _empty(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            write_bytes(path / SETTINGS, settings.encode())
            (path / CHECKPOINT).mkdir(exist_ok=True)
        except OSError as error:
            raise cannot_write(path, error) from error
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run folder.

        Raises:
            RunFolderError: There is none at ``path``.
        """
        if not (path / SETTINGS).is_file():
            raise RunFolderError(f"{path} is not a run folder: it has no {SETTINGS}")
        (path / CHECKPOINT).mkdir(exist_ok=True)
        return cls(path)

    def settings(self) -> dict[str, Any]:
        """What ``run.toml`` says.

        Raises:
            RunFolderError: It is not TOML.
        """
        return read_toml(self.path / SETTINGS)

    @property
    def complete(self) -> bool:
        """Whether the run reached its end."""
        return (self.path / RESULT).is_file()

    def add_row(self, row: Row) -> None:
        """Append one line to ``metrics.jsonl``."""
        path = self.path / METRICS
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise cannot_write(path, error) from error

    def rows(self) -> list[Row]:
        """The rows of ``metrics.jsonl``; a last line cut short by a kill is left out."""
        path = self.path / METRICS
        if not path.is_file():
            return []
        rows = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
        return rows

    def keep_rows(self, wanted: Callable[[Row], bool]) -> None:
        """Drop the rows of epochs that will be run again."""
        kept: Iterable[Row] = (row for row in self.rows() if wanted(row))
        text = "".join(json.dumps(row) + "\n" for row in kept)
        write_bytes(self.path / METRICS, text.encode())

    def finish(self, result: dict[str, Any], disagreements: list[dict[str, Any]]) -> None:
        """Write the results; ``result.json`` comes last and says that the run is complete."""
        write_json(self.path / DISAGREEMENTS, disagreements)
        write_json(self.path / RESULT, result)


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dictionary.

    Raises:
        RunFolderError: It is missing or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read {path}: {error}") from error


def default_path(kind: str) -> Path:
    """``runs/<kind>-<date>-<time>``, with a number behind it where that is taken."""
    stem = f"{kind}-{datetime.now():%Y%m%d-%H%M%S}"
    path, number = Path("runs") / stem, 1
    while path.exists():
        number += 1
        path = Path("runs") / f"{stem}-{number}"
    return path


def _is_unused(path: Path) -> bool:
    """An empty folder, or one in which a killed process had only begun to write ``run.toml``."""
    return path.is_dir() and set(path.iterdir()) == set(leftovers(path))


def _empty(path: Path) -> None:
    """Remove what a run wrote, and nothing else that may lie in the folder."""
    shutil.rmtree(path / CHECKPOINT, ignore_errors=True)
    shutil.rmtree(path / CELLS, ignore_errors=True)
    for name in (RESULT, METRICS, DISAGREEMENTS, STUDENT, ONNX, "report.html", SETTINGS):
        (path / name).unlink(missing_ok=True)
