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
from didact.train._environment import hardware, versions
from didact.train._learn_settings import LearnSettings

SCHEMA = 1
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
        found["backward_transfer"] = metrics.backward_transfer(matrix)
    if several and "random_accuracy" in cell:
        found["forward_transfer"] = metrics.forward_transfer(matrix, cell["random_accuracy"])
    return found


def method_summary(cells: Sequence[Json], joint: Sequence[Json] | None) -> Json:
    """One method over its seeds."""
    numbers = [numbers_of(cell, cell["matrix"]) for cell in cells]
    if joint is not None:
        for one, cell, reference in zip(numbers, cells, joint, strict=True):
            upper = np.diagonal(matrix_of(reference["matrix"])).tolist()
            behind = metrics.intransigence(matrix_of(cell["matrix"]), upper)
            one["intransigence"] = float(behind[-1])
    found: Json = {
        "matrices": [cell["matrix"] for cell in cells],
        "curves": [_curve(cell) for cell in cells],
        "confusion": [cell["confusion"] for cell in cells],
        "per_class": [cell["per_class"] for cell in cells],
        "seconds": [cell["seconds"][-1] for cell in cells],
        "sizes": [cell["sizes"][-1] for cell in cells],
        "numbers": {name: [one[name] for one in numbers] for name in numbers[0]},
        "others": {
            other: {
                "matrices": [cell["other_matrices"][other] for cell in cells],
                **_by_name([numbers_of(cell, cell["other_matrices"][other]) for cell in cells]),
            }
            for other in cells[0]["other_matrices"]
        },
    }
    found["intervals"] = {
        name: asdict(metrics.mean_interval(values)) for name, values in found["numbers"].items()
    }
    found["sizes"] = [
        size | {"budget_bytes": sum(v for k, v in size.items() if k.endswith("bytes"))}
        for size in found["sizes"]
    ]
    return found


def summary_of(
    settings: LearnSettings, cells: dict[str, list[Json]], data: Data, device: torch.device
) -> Json:
    """All methods over all seeds, and each pair of methods seed by seed."""
    joint = cells.get("joint")
    methods = {
        name: method_summary(of_method, joint if name != "joint" else None)
        for name, of_method in cells.items()
    }
    first = next(iter(cells.values()))
    return {
        "schema": SCHEMA,
        "kind": "learn",
        "didact": __version__,
        "complete": True,
        "data": {
            "name": data.name,
            "train": sum(first[0]["protocol"]["train_sizes"]),
            "test": sum(first[0]["test_sizes"]),
            "num_classes": len(first[0]["class_order"]),
            "class_names": list(data.class_names),
            "image_shape": list(data.image_shape),
        },
        "protocol": _protocol(settings, first),
        "fingerprint": settings.fingerprint(),
        "model": settings.model,
        "seeds": list(settings.seeds),
        "methods": methods,
        "paired": _paired(methods, len(settings.seeds)),
        "versions": versions(),
        "hardware": hardware(device),
    }


def _protocol(settings: LearnSettings, cells: Sequence[Json]) -> Json:
    """What must be the same for two results to be comparable."""
    about = dict(cells[0]["protocol"])
    return about | {
        "tasks": len(cells[0]["matrix"]),
        "class_orders": [cell["class_order"] for cell in cells],
        "test_sizes": cells[0]["test_sizes"],
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


def _curve(cell: Json) -> list[float]:
    matrix = matrix_of(cell["matrix"])
    return [float(v) for v in metrics.average_accuracy(matrix, weights=cell["test_sizes"])]


def _by_name(numbers: Sequence[Json]) -> Json:
    return {"numbers": {name: [one[name] for one in numbers] for name in numbers[0]}}


def _paired(methods: dict[str, Json], seeds: int) -> list[Json]:
    if seeds < 2:
        return []
    found = []
    for a, b in combinations(methods, 2):
        for number in ("average_incremental", "last"):
            pair = [methods[name]["numbers"][number] for name in (b, a)]
            test = metrics.paired_test(*pair)
            found.append({"what": f"{b} - {a}", "number": number, **test.as_dict()})
    return found
