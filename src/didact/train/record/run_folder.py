"""The run folder: the record of a run, and what a killed run goes on from."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from didact._core import digest
from didact._core.atomic import leftovers
from didact._core.errors import RunFolderError
from didact.train.record.files import (
    cannot_write,
    make_folder,
    read_object,
    sync_file,
    write_bytes,
    write_json,
)
from didact.train.record.trust import TRUST, sign

SETTINGS = "run.toml"
METRICS = "metrics.jsonl"
RESULT = "result.json"
GRID = "grid.toml"
DISAGREEMENTS = "disagreements.json"
PREDICTIONS = "predictions.json"
TREE = "tree.json"
STUDENT = "student.safetensors"
ONNX = "student.onnx"
MODEL = "model.safetensors"
MODEL_ONNX = "model.onnx"
HISTORY = "history.json"
CHECKPOINT = "checkpoint"
CELLS = "cells"
BEFORE = "before"
LOGS = "logs"
CACHE = "teacher"
TOKENIZER = "tokenizer.json"
START = "start.json"
LOCK = ".lock"

_OF_A_RUN = (
    DISAGREEMENTS, PREDICTIONS, TREE, STUDENT, ONNX, TOKENIZER, MODEL, MODEL_ONNX, HISTORY,
)  # fmt: skip

Json = dict[str, Any]

Row = dict[str, Any]


class RunFolder:
    """One folder with the names above in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(
        cls,
        path: Path,
        settings: str,
        plain: Json | None = None,
        *,
        overwrite: bool = False,
        code: Sequence[str] = (),
    ) -> RunFolder:
        """Make the folder and write ``run.toml`` into it.

        Args:
            path: Where.
            settings: The settings as TOML.
            plain: The same as JSON; kept apart, so that an edit of ``run.toml`` is noticed.
            overwrite: Whether a run folder that is there may be replaced.
            code: The names of code that the user typed; they are signed.

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
            try:
                _empty(path)
            except OSError as error:
                raise cannot_write(path, error) from error
        folder = cls(path)
        make_folder(path)
        sign(path, code)
        folder.write_settings(settings, plain)
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run folder.

        Raises:
            RunFolderError: There is none at ``path``.
        """
        if not (path / SETTINGS).is_file():
            raise RunFolderError(f"{path} is not a run folder: it has no {SETTINGS}")
        return cls(path)

    def settings(self) -> Json:
        """What ``run.toml`` says.

        Raises:
            RunFolderError: It is not TOML.
        """
        return read_toml(self.path / SETTINGS)

    def write_settings(self, settings: str, plain: Json | None) -> None:
        """Write ``run.toml``, and beside the checkpoints what the run was started with."""
        make_folder(self.path / CHECKPOINT)
        known = self.start()
        started = known.get("started") or datetime.now(UTC).isoformat(timespec="seconds")
        begun = {"started": started, "settings": plain, "before": known.get("settings")}
        write_json(self.path / CHECKPOINT / START, begun)
        write_bytes(self.path / SETTINGS, settings.encode())

    def start(self) -> Json:
        """When the run was started, and with which settings; empty where that is not known.

        ``before`` are the settings that ``run.toml`` has if the process was killed while it wrote
        others.

        Raises:
            CheckpointError: The file is damaged.
        """
        path = self.path / CHECKPOINT / START
        return read_object(path) if path.is_file() else {}

    @property
    def complete(self) -> bool:
        """Whether the run reached its end."""
        return (self.path / RESULT).is_file()

    def add_row(self, row: Row) -> None:
        """Append one line to ``metrics.jsonl``."""
        path = self.path / METRICS
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(digest.line_of(row))
        except OSError as error:
            raise cannot_write(path, error) from error

    def sync(self) -> None:
        """Wait until the rows are on the disk: a checkpoint must not know more than they."""
        if (self.path / METRICS).is_file():
            sync_file(self.path / METRICS)

    def rows(self) -> list[Row]:
        """The rows of ``metrics.jsonl``; a last line cut short by a kill is left out.

        Raises:
            CheckpointError: Another line is damaged.
        """
        return digest.checked_lines(self.path / METRICS)

    def keep_rows(self, wanted: Callable[[Row], bool]) -> None:
        """Drop the rows of epochs that will be run again."""
        text = "".join(digest.line_of(row) for row in self.rows() if wanted(row))
        write_bytes(self.path / METRICS, text.encode())

    def refuse_lost_rows(self, of: Callable[[Row], bool], count: int, what: str) -> None:
        """See that ``metrics.jsonl`` has every epoch that a part of the run has behind it.

        Args:
            of: Whether a row is one of an epoch of the part.
            count: How many epochs it has behind it.
            what: What the message calls it.

        Raises:
            CheckpointError: Lines of it are gone, or there twice.
        """
        found = [row for row in self.rows() if of(row)]
        places = {(row.get("task"), row.get("stage_number"), row.get("epoch")) for row in found}
        if not len(found) == len(places) == count:
            raise digest.damaged(
                self.path / METRICS,
                f"it has {len(found)} lines of {what}, which has {count} epochs behind it",
            )

    def finish(self, result: Json) -> Json:
        """Write ``result.json``, which comes last and says that the run is complete.

        Returns:
            The result with the digests of the other files.
        """
        self.sync()
        there = [name for name in (SETTINGS, METRICS, *_OF_A_RUN) if (self.path / name).is_file()]
        digests = {name: digest.of_file(self.path / name) for name in there}
        whole = result | {"files": digests}
        write_json(self.path / RESULT, whole)
        return whole


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
    """An empty folder, or one of a process that was killed before it had written ``run.toml``."""
    if not path.is_dir():
        return False
    known = {*leftovers(path), path / LOCK, path / TRUST, path / CHECKPOINT}
    checkpoint = path / CHECKPOINT
    begun = {*leftovers(checkpoint), checkpoint / START}
    within = set(checkpoint.iterdir()) if checkpoint.is_dir() else set()
    return set(path.iterdir()) <= known and within <= begun


def _empty(path: Path) -> None:
    """Remove what a run wrote, and nothing else that may lie in the folder."""
    for folder in (path / CHECKPOINT, path / CELLS, path / BEFORE, path / LOGS, path / CACHE):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)
    for name in (RESULT, METRICS, *_OF_A_RUN, "report.html", TRUST, SETTINGS):
        (path / name).unlink(missing_ok=True)
