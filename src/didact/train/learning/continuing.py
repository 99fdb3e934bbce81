"""The settings and the history of a run that goes on from another, or from a network alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from didact._core.errors import CheckpointError, RunFolderError, UsageError
from didact.data import Data
from didact.train.learning.learner import FILE
from didact.train.learning.record import RESULT as CELL
from didact.train.learning.record import cell_folder
from didact.train.learning.settings import LearnSettings
from didact.train.loop.models import read_model_header
from didact.train.loop.resume import settings_of_run
from didact.train.record.files import read_json, read_object
from didact.train.record.run_folder import HISTORY, MODEL, RESULT, RunFolder

Json = dict[str, Any]
ANEW: Json = {
    "base": None, "step": None, "tasks": None, "groups": None, "class_order": "natural",
    "imbalance": 1.0, "blurry": 0.0, "known": None, "continues": None, "normalise": None,
    "first_epochs": None, "labelled": 1.0, "label_noise": 0.0,
}  # fmt: skip
"""What a run that goes on does not take from the one before."""


def settings_to_continue(place: Path, data: str | Data, changes: Json) -> LearnSettings:
    """Those of the run before, but for how the classes are cut, and but for the changes.

    Raises:
        RunFolderError: The run is not finished, or one of ``didact distill`` without a student.
        CheckpointError: There is no such folder or file.
        UsageError: Some of the methods are those of the run and some are not, or classes are named
            that the run names itself.
    """
    named = {"data": data if isinstance(data, str) else data.name}
    if not place.is_dir():
        if place.suffix != ".safetensors" or not place.is_file():
            raise CheckpointError(
                f"there is no run folder or file {place}; expected a finished run of didact learn, "
                "or its model.safetensors"
            )
        return _from_network(place, LearnSettings.build(**named), changes)
    run = RunFolder.open(place)
    if "teacher" in run.settings():
        return _from_network(place / "student.safetensors", LearnSettings.build(**named), changes)
    before = settings_of_run(run, LearnSettings)
    if not run.complete:
        raise RunFolderError(
            f"{place} is not finished; finish it with: didact learn --resume {place}"
        )
    if changes.get("known") is not None:
        raise UsageError(
            f"{place} says which classes it knows, and in which order; leave out known"
        )
    wanted, seeds = changes.get("method", before.method), changes.get("seeds", before.seeds)
    there = [n for n in wanted if (cell_folder(place, n, seeds[0]) / FILE).is_file()]
    if not there:
        return _from_network(place / MODEL, before.changed(**named), changes)
    if missing := [name for name in wanted if name not in there]:
        raise UsageError(
            f"{place} has {', '.join(there)} to go on with and no {', '.join(missing)}, which "
            "would begin with a network alone; give them a run of their own"
        )
    _, header = read_model_header(cell_folder(place, there[0], seeds[0]) / FILE)
    return before.changed(
        **ANEW
        | _options(before, wanted, changes)
        | named
        | {"continues": str(place), "resize": _side(header.image_shape)}
        | changes
    )


def _options(before: LearnSettings, wanted: tuple[str, ...], changes: Json) -> Json:
    """The options of those methods that go on."""
    kept = {k: v for k, v in before.method_options.items() if k.partition(".")[0] in wanted}
    return {"method_options": kept | changes.pop("method_options", {})}


def _side(image_shape: list[int] | None) -> Any:
    """New images are brought to the size that the network knows."""
    return None if image_shape is None or len(image_shape) != 3 else tuple(image_shape[1:])


def _from_network(path: Path, before: LearnSettings, changes: Json) -> LearnSettings:
    if not path.is_file():
        raise CheckpointError(f"there is no file {path} to go on from")
    _, header = read_model_header(path)
    if header.class_names is None or header.model is None:
        raise CheckpointError(
            f"{path} does not say its model and its classes; begin with: "
            "--model NAME=FILE --known NAMES"
        )
    wanted = changes.get("method", before.method)
    return before.changed(
        **ANEW
        | _options(before, wanted, changes)
        | {
            "model": f"{header.model}={path}",
            "known": tuple(header.class_names),
            "normalise": _normalisation(header.mean, header.std),
            "resize": _side(header.image_shape),
            "first_epochs": 0,
        }
        | changes
    )


def _normalisation(mean: list[float] | None, std: list[float] | None) -> str | None:
    if mean is None or std is None:
        return None
    return "/".join(",".join(map(repr, part)) for part in (mean, std))


def history_with(place: Path) -> list[Json]:
    """The runs that led to a run, and the run itself behind them.

    Raises:
        CheckpointError: A file of it is damaged.
    """
    run = RunFolder.open(place)
    path = place / HISTORY
    found = read_json(path) if path.is_file() else []
    result = read_object(place / RESULT)
    settings = run.settings()
    seeds, methods = result.get("seeds", [0]), list(result.get("methods", {}))
    cell = cell_folder(place, methods[0], seeds[0]) / CELL
    entry = {
        "run": str(place),
        "command": result.get("command", ""),
        "started": result.get("started", ""),
        "didact": result.get("didact", ""),
        "data": settings.get("data", ""),
        "data_digest": read_object(cell).get("data_digest") if cell.is_file() else None,
        "classes": result.get("data", {}).get("num_classes"),
        "methods": methods,
    }
    return [*(found if isinstance(found, list) else []), entry]
