"""From the folder of ``didact learn`` to a checked object."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from pydantic import ValidationError

from didact._core.digest import compare
from didact._core.errors import RunFolderError
from didact.train.record.files import read_json
from didact.train.record.result import LearnOutcome, first_of
from didact.train.record.run_folder import CELLS, METRICS, RESULT, SETTINGS


def is_learning_run(folder: Path) -> bool:
    """Whether ``didact learn`` wrote the folder, finished or not."""
    if (folder / RESULT).is_file():
        try:
            value = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return False
        return isinstance(value, dict) and value.get("kind") == "learn"
    return (folder / CELLS).is_dir() or _is_set_up_to_learn(folder / SETTINGS)


def _is_set_up_to_learn(path: Path) -> bool:
    """Whether it is the configuration of a run that may have been killed before its first cell."""
    try:
        return "method" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False


def load_outcome(folder: Path) -> LearnOutcome:
    """Read ``result.json``; of a run that is not finished, what its cells have so far.

    Raises:
        RunFolderError: Not a run folder, or a part of the result is wrong.
        CheckpointError: A file is damaged.
    """
    path = folder / RESULT
    if not path.is_file():
        from didact.train import partial_summary

        return parse_outcome(partial_summary(folder), str(folder))
    outcome = parse_outcome(read_json(path), str(path))
    for name in (SETTINGS, METRICS):
        if name in outcome.files:
            compare(folder / name, outcome.files[name])
    return outcome


def parse_outcome(value: object, source: str = "the result") -> LearnOutcome:
    """Check what ``result.json`` holds.

    Raises:
        RunFolderError: A part of it is wrong.
    """
    try:
        return LearnOutcome.model_validate(value)
    except ValidationError as error:
        raise RunFolderError(f"{source} is damaged: {first_of(error)}") from None
