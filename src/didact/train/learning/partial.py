"""What is known of a run that has not ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from didact.train.learning.record import STREAM, cell_folder, finished, measured_in
from didact.train.learning.settings import LearnSettings
from didact.train.learning.summary import heading, measured_of, method_summary, paired
from didact.train.loop.resume import settings_of_run
from didact.train.record.checkpoint import refused_if_malformed
from didact.train.record.files import read_object
from didact.train.record.result import StreamFacts, refuse_malformed
from didact.train.record.run_folder import METRICS, RunFolder

Json = dict[str, Any]


@dataclass
class Found:
    """The cells of one method: those that are complete, and the one that came furthest else."""

    complete: list[Json] = field(default_factory=list)
    partial: list[Json] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def partial_summary(folder: str | Path) -> Json:
    """What ``result.json`` would hold, as far as the cells of a run have come.

    A method has its numbers over the seeds that are complete. Where none is, its furthest seed
    gives a matrix and a curve up to the last complete task, and no number: a mean over fewer tasks
    is not comparable. ``missing`` says in words what is not there.

    Args:
        folder: A folder that ``didact learn`` wrote, of a run that was stopped or is under way.

    Raises:
        RunFolderError: Not such a folder.
        CheckpointError: A file of the run is damaged.
    """
    run = RunFolder.open(Path(folder))
    settings = settings_of_run(run, LearnSettings)
    found = {name: _find(run.path, name, settings) for name in settings.method}
    shown = {name: one for name, one in found.items() if one.complete or one.partial}
    joint = found["joint"].complete if "joint" in found else []
    methods = {
        name: method_summary(one.complete, joint if name != "joint" else ())
        if one.complete
        else {**measured_of(one.partial), "numbers": {}, "intervals": {}, "others": {}}
        for name, one in shown.items()
    }
    whole = {name: methods[name] for name, one in found.items() if _all(one, settings)}
    cells = [cell for one in shown.values() for cell in one.complete or one.partial]
    return {
        **heading(settings, cells, cells[0]["data"] if cells else {"name": settings.data}),
        "complete": False,
        "missing": [words for one in found.values() for words in one.missing],
        "methods": methods,
        "paired": paired(whole, len(settings.seeds)),
    }


def _all(found: Found, settings: LearnSettings) -> bool:
    return len(found.complete) == len(settings.seeds)


def _find(run: Path, name: str, settings: LearnSettings) -> Found:
    found, furthest = Found(), 0
    for seed in settings.seeds:
        done = finished(run, name, seed, settings)
        if done is not None:
            found.complete.append(done)
            continue
        cell = _begun(cell_folder(run, name, seed), seed)
        tasks = len(cell["seconds"]) if cell else 0
        of = f"{tasks} of {len(cell['test_sizes'])} tasks" if cell else "not begun"
        found.missing.append(f"{name}, seed {seed}: {of}")
        if cell and tasks > furthest:
            found.partial, furthest = [cell], tasks
    return found


def _begun(folder: Path, seed: int) -> Json | None:
    """A cell as far as it came; the rows of later tasks are empty."""
    path = folder / STREAM
    if not path.is_file():
        return None
    facts = read_object(path)
    refuse_malformed(StreamFacts, facts, path)
    record = [row for row in RunFolder(folder).rows() if "accuracy" in row]
    if not record:
        return {**facts, "seconds": []}
    with refused_if_malformed(folder / METRICS):
        measured = measured_in(record)
    tasks = len(facts["test_sizes"])
    for name in ("matrix", "task_aware_matrix"):
        if measured[name] is not None:
            measured[name] += [[None] * tasks] * (tasks - len(record))
    return {**facts, **measured, "seed": seed}
