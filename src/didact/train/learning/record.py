"""What a cell leaves in its folder: the stream, the learner, and what was measured."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from didact.data import Stream
from didact.methods import Method
from didact.nn import Teacher
from didact.train.learning.evaluate import TestSets, random_accuracies
from didact.train.learning.fit import MethodRun
from didact.train.learning.settings import LearnSettings
from didact.train.learning.summary import data_facts
from didact.train.loop.schedule import seed_everything
from didact.train.record.checkpoint import PartOf
from didact.train.record.files import read_object, write_json
from didact.train.record.result import CellResult, refuse_malformed
from didact.train.record.run_folder import CELLS, RunFolder

Json = dict[str, Any]
RESULT, STREAM = "cell.json", "stream.json"
BASELINE = 14


def cell_folder(run: Path, name: str, seed: int) -> Path:
    """Where a cell writes.

    A path to a user's method becomes a plain name, with a digest of all of it: two files may have
    one name in two folders.
    """
    plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in name.rpartition("/")[2])
    if plain != name:
        plain += f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return run / CELLS / f"{plain}.{seed}"


def finished(
    run: Path, name: str, seed: int, settings: LearnSettings, data: str | None = None
) -> Json | None:
    """What a complete cell has found; None where there is none.

    Args:
        run: The run folder.
        name: The method.
        seed: The seed.
        settings: Of the run.
        data: The digest of the data, where it is at hand.

    Raises:
        CheckpointError: The file is damaged, or was computed with other settings or data.
    """
    path = cell_folder(run, name, seed) / RESULT
    if not path.is_file():
        return None
    found = read_object(path)
    PartOf(settings.deciding_of(name), data).refuse_other(path, found, method=name, seed=seed)
    refuse_malformed(CellResult, found, path)
    if "epochs" in found:
        RunFolder(path.parent).refuse_lost_rows(
            lambda row: "epoch" in row, found["epochs"], f"{name} of seed {seed}"
        )
    return found


def facts_of(stream: Stream, tests: TestSets) -> Json:
    """What the numbers of a cell are measured on; written first, for a page before the end."""
    return {
        "data": data_facts(stream.data),
        "test_sizes": tests.sizes,
        "class_order": list(stream.class_order),
        "protocol": stream.protocol,
    }


def sizes_of(method: Method) -> Json:
    """The one budget: weights, exemplars and what else is kept, in bytes."""
    teachers = [part for part in method.modules() if isinstance(part, Teacher)]
    frozen = {id(t) for part in teachers for t in part.state_dict(keep_vars=True).values()}
    parameters = [p for p in method.parameters() if id(p) not in frozen]
    buffers = [b for b in method.buffers() if id(b) not in frozen]
    return {
        "parameters": sum(p.numel() for p in parameters),
        "parameter_bytes": sum(t.nbytes for t in (*parameters, *buffers)),
        "exemplars": len(method.memory),
        "exemplar_bytes": method.memory.nbytes,
        "kept_bytes": method.kept.nbytes,
    }


def task_aware_matrix(record: Sequence[Json]) -> list[list[float | None]] | None:
    """The accuracies where the task is told; None where they are not measured beside others."""
    rows = [one["task_aware"] for one in record if one.get("task_aware") is not None]
    return rows if len(rows) == len(record) else None


def measured_in(record: Sequence[Json]) -> Json:
    """What was measured after each task, each kind of it over all tasks so far."""
    sizes = ("parameters", "parameter_bytes", "exemplars", "exemplar_bytes", "kept_bytes")
    return {
        "matrix": [one["accuracy"] for one in record],
        "other_matrices": {
            other: [one["others"][other] for one in record] for other in record[-1]["others"]
        },
        "task_aware_matrix": task_aware_matrix(record),
        "confusion": [one["confusion"] for one in record],
        "per_class": record[-1].get("per_class", []),
        "class_confusion": record[-1].get("class_confusion", []),
        "seconds": [one["seconds"] for one in record],
        "sizes": [{name: one[name] for name in sizes} for one in record],
    }


def write_cell(run: MethodRun, stream: Stream, tests: TestSets) -> Json:
    """Write the result, which comes last and says that the cell is complete."""
    method, record = run.method, run.position.record
    found: Json = {
        **run.state.part_of.as_json(),
        "method": run.name,
        "seed": run.seed,
        **measured_in(record),
        "epochs": sum("epoch" in row for row in run.folder.rows()),
        **facts_of(stream, tests),
    }
    if stream.scenario == "domain":
        seed_everything(run.seed, BASELINE)
        found["random_accuracy"] = random_accuracies(method, tests, run.context.fabric)
    if run.context.fabric.is_global_zero:
        write_json(run.folder.path / RESULT, found)
        run.state.remove()
    run.context.fabric.barrier()
    return found
