"""From a run folder on disk to checked objects; every defect is one clear message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from didact._core.digest import checked_json, checked_lines, compare, damaged
from didact._core.errors import RunFolderError
from didact.train.record.result import (
    SCHEMA,
    Disagreement,
    Predictions,
    Result,
    Row,
    TreeRecord,
    first_of,
)
from didact.train.record.run_folder import (
    DISAGREEMENTS,
    METRICS,
    PREDICTIONS,
    RESULT,
    SETTINGS,
    TREE,
)

Kept = TypeVar("Kept", Predictions, TreeRecord)


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder: what it holds, empty where a file is missing."""

    folder: Path
    result: Result | None
    rows: list[Row]
    disagreements: list[Disagreement]
    configuration: str
    predictions: Predictions | None = None
    tree: TreeRecord | None = None

    @property
    def complete(self) -> bool:
        """Whether every seed of every arm was finished."""
        return self.result is not None and self.result.complete


def load_run(folder: Path) -> Run:
    """Read all that is there; a run that is not finished has no result yet.

    Raises:
        RunFolderError: No such folder, not a run folder, or a file of it is damaged.
    """
    _check_is_run(folder)
    result = load_result(folder) if (folder / RESULT).is_file() else None
    if result is not None:
        compare_shown(folder, result.files)
    return Run(
        folder=folder,
        result=result,
        rows=_load_rows(folder / METRICS),
        disagreements=_load_disagreements(folder / DISAGREEMENTS),
        configuration=_read(folder / SETTINGS),
        predictions=None if result is None else load_predictions(folder, result),
        tree=None if result is None else _kept(folder, TREE, result, TreeRecord),
    )


def compare_shown(folder: Path, files: Mapping[str, str]) -> None:
    """See that what a page shows is what was there when the run finished, and is there still.

    Raises:
        CheckpointError: A file is another, or gone.
    """
    for name in (SETTINGS, METRICS, DISAGREEMENTS, PREDICTIONS, TREE):
        if name in files:
            compare(folder / name, files[name])


def load_predictions(folder: Path, result: Result) -> Predictions | None:
    """What each model says of each test image; None for a run of before they were kept.

    Raises:
        RunFolderError: The file is damaged.
    """
    return _kept(folder, PREDICTIONS, result, Predictions)


def _kept(folder: Path, name: str, result: Result, form: type[Kept]) -> Kept | None:
    """A file that not every run has, compared with its digest where the result tells it."""
    path = folder / name
    if not path.is_file():
        return None
    if name in result.files:
        compare(path, result.files[name])
    try:
        return form.model_validate(_parse_json(path))
    except ValidationError as error:
        raise RunFolderError(f"{path} is damaged: {first_of(error)}") from None


def load_result(folder: Path) -> Result:
    """Read ``result.json`` alone.

    Raises:
        RunFolderError: No such folder, not a run folder, no result yet, or a damaged one.
    """
    _check_is_run(folder)
    path = folder / RESULT
    if not path.is_file():
        raise RunFolderError(
            f"{folder} has no {RESULT}: the run is not finished. Go on with it with --resume."
        )
    return parse_result(_parse_json(path), str(path))


def parse_result(value: object, source: str = "the result") -> Result:
    """Check what ``result.json`` holds.

    Raises:
        RunFolderError: Another schema, another kind of run, or a part that is wrong.
    """
    if not isinstance(value, dict) or "schema" not in value:
        raise RunFolderError(f"{source} is not the result of a run: it has no 'schema'")
    if value["schema"] != SCHEMA:
        raise RunFolderError(
            f"{source} has schema {value['schema']!r}; this didact reads schema {SCHEMA}. "
            "Read it with the version of didact that wrote it."
        )
    if value.get("kind") != "distill":
        raise RunFolderError(
            f"{source} is of a run of kind {value.get('kind')!r}; expected 'distill'"
        )
    try:
        result = Result.model_validate(value)
    except ValidationError as error:
        raise RunFolderError(f"{source} is damaged: {first_of(error)}") from None
    for name, arm in result.arms.items():
        for metric, values in arm:
            if len(values) > len(result.seeds):
                raise RunFolderError(
                    f"{source} is damaged: arms.{name}.{metric} has {len(values)} values "
                    f"for {len(result.seeds)} seeds"
                )
    return result


def _check_is_run(folder: Path) -> None:
    if not folder.exists():
        raise RunFolderError(f"there is no folder {folder}; expected the folder of a run")
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is a file; expected the folder of a run")
    if not any((folder / name).is_file() for name in (RESULT, METRICS, SETTINGS)):
        raise RunFolderError(
            f"{folder} is not a run folder: it has no {RESULT}, {METRICS} or {SETTINGS}. "
            "Pass the folder that didact distill wrote."
        )


def _load_rows(path: Path) -> list[Row]:
    rows: dict[tuple[str, int, int], Row] = {}
    for number, line in enumerate(checked_lines(path), start=1):
        try:
            row = Row.model_validate(line)
        except ValidationError as error:
            raise damaged(path, f"line {number}: {first_of(error)}") from None
        rows[row.arm, row.seed, row.epoch] = row  # a resumed epoch counts once
    return list(rows.values())


def _load_disagreements(path: Path) -> list[Disagreement]:
    if not path.is_file():
        return []
    try:
        return TypeAdapter(list[Disagreement]).validate_python(_parse_json(path))
    except ValidationError as error:
        raise RunFolderError(f"{path} is damaged: {first_of(error)}") from None


def _parse_json(path: Path) -> object:
    try:
        value: object = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"{path} is damaged or truncated: {error}") from None
    return checked_json(value, path) if isinstance(value, dict) else value


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise RunFolderError(f"{path} cannot be read: {error}") from None
