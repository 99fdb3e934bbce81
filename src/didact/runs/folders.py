"""From run folders on disk to tables."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from didact._core.digest import checked_json, checked_lines, compare
from didact._core.errors import RunFolderError
from didact.runs.tables import NO_TASK, Records, table

SETTINGS, RESULT, METRICS = "run.toml", "result.json", "metrics.jsonl"
PREDICTIONS = "predictions.json"
SCHEMA = 1
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of a run that has not written when it started."""

Json = dict[str, Any]
Rows = Iterator[Json]


def read_runs(folders: Sequence[Path]) -> Records:
    """Read run folders of ``didact distill`` and ``didact learn``, finished or not.

    Args:
        folders: Run folders, or folders that hold run folders at any depth.

    Raises:
        RunFolderError: No run folder at one of the places, or a file of one cannot be read.
        CheckpointError: A file does not have the digest that was written with it.

    Example:
        >>> from pathlib import Path
        >>> from didact.runs import read_runs
        >>> read_runs([]).results.columns.tolist()
        ['run', 'arm', 'seed', 'task', 'name', 'value']
    """
    runs = [_Run(folder) for place in folders for folder in _run_folders(place)]
    unique = {run.name: run for run in runs}.values()

    def rows(part: Callable[[_Run], Rows]) -> Rows:
        return (row for run in unique for row in part(run))

    return Records(
        runs=table("runs", rows(_Run.about)),
        settings=table("settings", rows(_Run.settings)),
        results=table("results", rows(_Run.results)),
        epochs=table("epochs", rows(_Run.epochs)),
        predictions=table("predictions", rows(_Run.predictions)),
    )


def _run_folders(place: Path) -> list[Path]:
    if not place.is_dir():
        raise RunFolderError(f"there is no folder {place}; expected a run folder or one of many")
    if (place / SETTINGS).is_file():
        return [place]
    found = sorted(path.parent for path in place.rglob(SETTINGS))
    if not found:
        raise RunFolderError(
            f"{place} holds no run: no {SETTINGS} in it or below. Pass what --output named."
        )
    return found


class _Run:
    """One run folder; each method yields the rows of one table."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        text = _text(folder / SETTINGS)
        try:
            self._settings: Json = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RunFolderError(f"{folder / SETTINGS} is damaged: {error}") from None
        self._result = _json(folder / RESULT) if (folder / RESULT).is_file() else {}
        self._refuse_what_no_run_writes()
        files = self._result.get("files")
        for name in (SETTINGS, METRICS, PREDICTIONS):
            if isinstance(files, dict) and name in files:
                compare(folder / name, files[name])
        self.kind = self._result.get("kind") or (
            "learn" if "method" in self._settings else "distill"
        )
        identity = f"{text}\0{self._result.get('started', self.folder)}"
        self.name = hashlib.sha256(identity.encode()).hexdigest()[:16]

    def _refuse_what_no_run_writes(self) -> None:
        """As the schema of ``didact.train`` does, which cannot be read without torch."""
        if (schema := self._result.get("schema", SCHEMA)) != SCHEMA:
            raise RunFolderError(
                f"{self.folder / RESULT} has schema {schema!r}; this didact reads schema "
                f"{SCHEMA}. Read it with the version of didact that wrote it."
            )
        try:
            for value in _leaves(self._result):
                if isinstance(value, int):
                    _whole(value)
                elif isinstance(value, float) and not math.isfinite(value):
                    raise ValueError(f"a number is {value}; expected a finite one")
        except ValueError as error:
            raise self._damaged(error) from None

    def about(self) -> Rows:
        """The row of ``runs``."""
        result, settings = self._result, self._settings
        started = result.get("started")
        try:
            moment = datetime.fromisoformat(started).astimezone(UTC) if started else BEGINNING
        except (TypeError, ValueError, OverflowError):
            raise self._damaged(f"started is {started!r}") from None
        yield {
            "run": self.name,
            "folder": str(self.folder),
            "kind": self.kind,
            "didact": str(result.get("didact", "")),
            "command": str(result.get("command", "")),
            "started": moment,
            "complete": bool(result.get("complete", False)),
            "data": str(settings.get("data", "")),
            "student": str(settings.get("student") or settings.get("model") or ""),
            "teacher": ", ".join(map(str, settings.get("teacher", ()))),
        }

    def settings(self) -> Rows:
        """The rows of ``settings``, nested ones with dots in their names."""
        yield from (
            {
                "run": self.name,
                "name": name,
                "value": json.dumps(value, ensure_ascii=False, default=str),
            }
            for name, value in _flat(self._settings)
        )

    def results(self) -> Rows:
        """The rows of ``results``."""
        try:
            seeds = [_whole(seed) for seed in self._result.get("seeds", ())]
            yield from self._distilled(seeds) if self.kind == "distill" else self._learnt(seeds)
        except (
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
            IndexError,
            OverflowError,
        ) as error:
            raise self._damaged(error) from None

    def _distilled(self, seeds: list[int]) -> Rows:
        for arm, numbers in self._result.get("arms", {}).items():
            for name, values in numbers.items():
                yield from self._of_seeds(arm, name, seeds, values)

    def _learnt(self, seeds: list[int]) -> Rows:
        for method, found in self._result.get("methods", {}).items():
            for name, values in found["numbers"].items():
                yield from self._of_seeds(method, name, seeds, values)
            for way, other in found.get("others", {}).items():
                for name, values in other["numbers"].items():
                    yield from self._of_seeds(f"{method}/{way}", name, seeds, values)
            yield from self._of_seeds(method, "seconds", seeds, found.get("seconds", []))
            for seed, matrix in zip(seeds, found["matrices"], strict=False):
                for task, row in enumerate(matrix):
                    for of, value in enumerate(row):
                        if value is not None:
                            yield self._number(method, seed, task, f"accuracy of task {of}", value)

    def _of_seeds(self, arm: str, name: str, seeds: list[int], values: list[Any]) -> Rows:
        for seed, value in zip(seeds, values, strict=False):
            if value is not None:
                yield self._number(arm, seed, NO_TASK, name, value)

    def _number(self, arm: str, seed: int, task: int, name: str, value: Any) -> Json:
        key = {"run": self.name, "arm": arm, "seed": seed, "task": task}
        return {**key, "name": name, "value": float(value)}

    def epochs(self) -> Rows:
        """The rows of ``epochs``; of an epoch that was run twice the last one counts."""
        latest: dict[tuple[Any, ...], Json] = {}
        for row in checked_lines(self.folder / METRICS):
            if "epoch" not in row:
                continue
            try:
                key = {
                    "run": self.name,
                    "arm": str(row.get("arm", row.get("method", ""))),
                    "seed": _whole(row["seed"]),
                    "task": _whole(row["task"]) - 1 if "task" in row else NO_TASK,
                    "stage": f"{row.get('stage', 'train')} {row.get('stage_number', 0)}",
                    "epoch": _whole(row["epoch"]),
                }
                for name, value in _numbers(row):
                    made = {**key, "name": name, "value": value}
                    latest[*key.values(), name] = made
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise RunFolderError(f"{self.folder / METRICS} is damaged: {error!r}") from None
        yield from latest.values()

    def predictions(self) -> Rows:
        """The rows of ``predictions``; none for a run that kept none."""
        path = self.folder / PREDICTIONS
        if not path.is_file():
            return
        found = _json(path)
        try:
            labels = found["labels"]
            for one in found["arms"]:
                answers = zip(one["predicted"], one["probability"], strict=True)
                for image, (label, (predicted, probability)) in enumerate(
                    zip(labels, answers, strict=True)
                ):
                    yield {
                        "run": self.name,
                        "arm": one["arm"],
                        "seed": _whole(one["seed"]),
                        "image": image,
                        "label": _whole(label),
                        "predicted": _whole(predicted),
                        "probability": float(probability),
                    }
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RunFolderError(f"{path} is damaged: {error!r}") from None

    def _damaged(self, error: object) -> RunFolderError:
        return RunFolderError(f"{self.folder / RESULT} is damaged: {error}")


KEYS = frozenset({"arm", "method", "seed", "task", "stage", "stage_number", "epoch", "epochs"})


def _numbers(row: Json) -> Iterator[tuple[str, float]]:
    """The measured numbers of a line of metrics.jsonl, those of its parts with a dot."""
    for name, value in _flat({k: v for k, v in row.items() if k not in KEYS}):
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield name, float(value)


def _leaves(value: Any) -> Iterator[Any]:
    """What stands in an object or a list, at any depth."""
    if isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _leaves(entry)
    else:
        yield value


def _flat(values: Json, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _whole(value: Any) -> int:
    """A whole number of the 64 bits that a column has.

    Raises:
        ValueError: More of them, or no number.
    """
    number = int(value)
    if abs(number) >= 2**63:
        raise ValueError("a whole number has more than 64 bits")
    return number


def _json(path: Path) -> Json:
    try:
        value = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"{path} is damaged: {error}") from None
    if not isinstance(value, dict):
        raise RunFolderError(f"{path} is damaged: it holds no object")
    return checked_json(value, path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{path} cannot be read: {error}") from None
