"""From the folder of ``didact learn`` to a checked object."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from didact._core.errors import RunFolderError
from didact.report._learn_schema import LearnOutcome

RESULT = "result.json"
CONFIGURATION = "run.toml"


def is_learning_run(folder: Path) -> bool:
    """Whether ``didact learn`` wrote the folder, finished or not."""
    if (folder / RESULT).is_file():
        try:
            value = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(value, dict) and value.get("kind") == "learn"
    return (folder / "cells").is_dir()


def load_outcome(folder: Path) -> LearnOutcome:
    """Read ``result.json``.

    Raises:
        RunFolderError: The run is not finished, or the file is damaged.
    """
    path = folder / RESULT
    if not path.is_file():
        raise RunFolderError(
            f"{folder} has no {RESULT}: the run is not finished. Go on with it with "
            f"didact learn --resume {folder}"
        )
    try:
        return parse_outcome(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{path} is damaged or truncated: {error}") from None


def parse_outcome(value: object, source: str = "the result") -> LearnOutcome:
    """Check what ``result.json`` holds.

    Raises:
        RunFolderError: A part of it is wrong.
    """
    try:
        return LearnOutcome.model_validate(value)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in detail["loc"]) or "the whole"
        raise RunFolderError(f"{source} is damaged: {place}: {detail['msg']}") from None
