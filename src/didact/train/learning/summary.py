"""From finished cells to ``result.json``: every number comes from one matrix per cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
import torch

from didact import __version__, metrics
from didact.data import Data
from didact.train.learning.settings import LearnSettings
from didact.train.record.environment import hardware, versions
from didact.train.record.result import SCHEMA

Json = dict[str, Any]
Matrix = np.ndarray[Any, np.dtype[np.float64]]


def matrix_of(rows: Sequence[Sequence[float | None]]) -> Matrix:
    """The accuracy matrix; NaN where nothing was measured."""
    return np.array(
        [[np.nan if value is None else value for value in row] for row in rows], dtype=np.float64
    )


def numbers_of(cell: Json, rows: Sequence[Sequence[float | None]]) -> Json:
    """The metrics of one matrix. Fractions; the formulas are in :mod:`didact.metrics`."""
    matrix, weights = matrix_of(rows), cell["test_sizes"]
    several = len(matrix) > 1
    found: Json = {
        "average_incremental": metrics.average_incremental_accuracy(matrix, weights=weights),
        "average_incremental_task_equal": metrics.average_incremental_accuracy(matrix),
        "last": metrics.last_accuracy(matrix, weights=weights),
        "last_task_equal": metrics.last_accuracy(matrix),
    }
    if several:
        found["average_incremental_without_first"] = metrics.average_incremental_accuracy(
            matrix, weights=weights, skip_first=True
        )
        found["forgetting"] = metrics.forgetting(matrix)
        found["forgetting_since_learned"] = metrics.forgetting(matrix, since="learned")
        found["backward_transfer"] = metrics.backward_transfer(matrix)
    if several and "random_accuracy" in cell:
        found["forward_transfer"] = metrics.forward_transfer(matrix, cell["random_accuracy"])
    return found


def beside_the_matrix(cell: Json) -> Json:
    """Class by class at the end, and where the task is told: what the matrix alone cannot say."""
    found: Json = {}
    accuracies = [entry["accuracy"] for entry in cell["per_class"]]
    if accuracies:
        found["last_class_balanced"] = float(np.mean(accuracies))
        found["last_worst_class"] = min(accuracies)
    told = cell.get("task_aware_matrix")
    if told is not None:
        numbers = numbers_of(cell, told)
        for name in ("average_incremental", "last"):
            found[f"{name}_task_aware"] = numbers[name]
    return found


def over_images(cell: Json) -> Json:
    """Wilson's interval of the last accuracy, over other test images that could be drawn."""
    sizes, last = cell["test_sizes"], cell["matrix"][-1]
    hits = sum(round(value * size) for value, size in zip(last, sizes, strict=True))
    return asdict(metrics.wilson_interval(hits, sum(sizes)))


def method_summary(cells: Sequence[Json], joint: Sequence[Json] = ()) -> Json:
    """One method over its seeds; ``joint`` gives the upper bound, where it has all of them."""
    references = {cell["seed"]: cell for cell in joint}
    numbers = [numbers_of(cell, cell["matrix"]) | beside_the_matrix(cell) for cell in cells]
    if all(cell["seed"] in references for cell in cells):
        for one, cell in zip(numbers, cells, strict=True):
            upper = np.diagonal(matrix_of(references[cell["seed"]]["matrix"])).tolist()
            behind = metrics.intransigence(matrix_of(cell["matrix"]), upper)
            one["intransigence"] = float(behind[-1])
    others = {
        other: {
            "matrices": [cell["other_matrices"][other] for cell in cells],
            "numbers": by_name([numbers_of(cell, cell["other_matrices"][other]) for cell in cells]),
        }
        for other in cells[0]["other_matrices"]
    }
    return {
        **measured_of(cells),
        "numbers": by_name(numbers),
        "others": others,
        **intervals(numbers),
        "over_images": {"last": [over_images(cell) for cell in cells]},
    }


def measured_of(cells: Sequence[Json]) -> Json:
    """What was measured, seed by seed."""
    return {
        "matrices": [cell["matrix"] for cell in cells],
        "curves": [curve_of(cell) for cell in cells],
        "confusion": [cell["confusion"] for cell in cells],
        "task_aware_matrices": [cell.get("task_aware_matrix") for cell in cells],
        "per_class": [cell["per_class"] for cell in cells],
        "class_confusion": [cell.get("class_confusion", []) for cell in cells],
        "seconds": [cell["seconds"][-1] for cell in cells],
        "sizes": [with_budget(cell["sizes"][-1]) for cell in cells],
    }


def intervals(numbers: Sequence[Json]) -> Json:
    """Mean and interval of each number over the seeds."""
    found = by_name(numbers)
    return {"intervals": {name: asdict(metrics.mean_interval(v)) for name, v in found.items()}}


def with_budget(size: Json) -> Json:
    """The sizes with their sum, the one budget."""
    return size | {"budget_bytes": sum(v for k, v in size.items() if k.endswith("bytes"))}


def data_facts(data: Data) -> Json:
    """What does not depend on how the data is cut into tasks."""
    return {
        "name": data.name,
        "class_names": list(data.class_names),
        "image_shape": list(data.image_shape),
    }


def summary_of(
    settings: LearnSettings, cells: dict[str, list[Json]], data: Data, device: torch.device
) -> Json:
    """All methods over all seeds, and each pair of methods seed by seed."""
    joint = cells.get("joint", [])
    methods = {
        name: method_summary(of_method, joint if name != "joint" else ())
        for name, of_method in cells.items()
    }
    return {
        **heading(settings, next(iter(cells.values())), data_facts(data)),
        "complete": True,
        "methods": methods,
        "paired": paired(methods, len(settings.seeds)),
        "versions": versions(),
        "hardware": hardware(device),
    }


def heading(settings: LearnSettings, cells: Sequence[Json], data: Json) -> Json:
    """What was run, and, as soon as a cell knows, on what."""
    return {
        "schema": SCHEMA,
        "kind": "learn",
        "didact": __version__,
        "data": data | (_counts(cells[0]) if cells else {}),
        "protocol": (_stream_of(cells) if cells else {"scenario": settings.scenario})
        | _training(settings),
        "fingerprint": settings.fingerprint(),
        "model": settings.model,
        "seeds": list(settings.seeds),
    }


def _counts(cell: Json) -> Json:
    return {
        "train": sum(cell["protocol"]["train_sizes"]),
        "test": sum(cell["test_sizes"]),
        "num_classes": len(cell["class_order"]),
    }


def _stream_of(cells: Sequence[Json]) -> Json:
    """How the data was cut; this and the training must agree for results to be comparable."""
    cut: Json = cells[0]["protocol"]
    return cut | {
        "tasks": len(cells[0]["test_sizes"]),
        "class_orders": [cell["class_order"] for cell in cells],
        "test_sizes": cells[0]["test_sizes"],
    }


def _training(settings: LearnSettings) -> Json:
    return {
        "augment": settings.augment,
        "online": settings.online,
        "epochs": settings.epochs,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "schedule": settings.schedule,
        "memory": settings.total_memory if settings.memory_per_class is None else None,
        "memory_per_class": settings.memory_per_class,
        "first_task_counts": True,
    }


def curve_of(cell: Json) -> list[float]:
    """The accuracy over what was seen, after each task that is complete."""
    tasks = len(cell["seconds"])
    matrix = matrix_of([row[:tasks] for row in cell["matrix"][:tasks]])
    weights = cell["test_sizes"][:tasks]
    return [float(value) for value in metrics.average_accuracy(matrix, weights=weights)]


def by_name(numbers: Sequence[Json]) -> Json:
    """From one dictionary for each seed to one list for each name that all of them have."""
    names = [name for name in numbers[0] if all(name in one for one in numbers)]
    return {name: [one[name] for one in numbers] for name in names}


def paired(methods: dict[str, Json], seeds: int) -> list[Json]:
    """Each pair of methods over the same seeds."""
    if seeds < 2:
        return []
    found = []
    for a, b in combinations(methods, 2):
        for number in ("average_incremental", "last"):
            pair = [methods[name]["numbers"][number] for name in (b, a)]
            test = metrics.paired_test(*pair)
            found.append({"what": f"{b} - {a}", "number": number, **test.as_dict()})
    return found
