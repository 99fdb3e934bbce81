"""The end of a run: the student on disk, the numbers of ``result.json``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from torch import nn

from didact import __version__
from didact._core.errors import MissingDependencyError
from didact.data import Data
from didact.train.distilling.cell import Cell, Parts
from didact.train.distilling.fit import Surroundings
from didact.train.distilling.result import (
    SCHEMA,
    DistillResult,
    arms_of,
    best_student,
    data_of,
    models_of,
    paired_of,
    reliability_of,
)
from didact.train.loop.evaluate import disagreements
from didact.train.loop.export import export_onnx
from didact.train.loop.models import save_model
from didact.train.record.environment import hardware, versions
from didact.train.record.run_folder import ONNX, STUDENT

Json = dict[str, Any]


def finish(
    cells: Sequence[Cell],
    parts: Parts,
    around: Surroundings,
    console: Console | None,
    began: float,
) -> DistillResult:
    """Write the student, its ONNX form and the results; ``result.json`` comes last."""
    cell, arm = best_student(cells)
    model = cell.students[arm].model if arm in cell.students else cell.teachers[0].model
    name = (parts.student if arm in cell.students else parts.teachers[0]).name
    summary = _summary(cells, cell, parts, around) | {"student_arm": arm}
    folder, device = around.folder, around.fabric.device
    if around.fabric.is_global_zero:
        save_model(folder.path / STUDENT, model.state_dict(), name, cell.data)
        if around.settings.onnx:
            summary["onnx"] = _export(model, cell.data, folder.path / ONNX, console)
        model.to(device)
        summary["seconds"] = round(time.monotonic() - began, 2)
        folder.finish(summary, _disagreements(cell, arm, parts))
    around.fabric.barrier()
    return DistillResult(folder.path, summary, model)


def _summary(cells: Sequence[Cell], best: Cell, parts: Parts, around: Surroundings) -> Json:
    settings, weights = around.settings, parts.teacher_weights
    arms = arms_of(cells, weights)
    teacher_names = [source.name for source in parts.teachers]
    return {
        "schema": SCHEMA,
        "kind": "distill",
        "didact": __version__,
        "command": _command(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
        "complete": True,
        "data": data_of(best, settings),
        "models": models_of(best, teacher_names, parts.student.name, around.fabric.device),
        "loss": {
            "names": [choice.name for choice in parts.losses],
            "weights": [choice.weight for choice in parts.losses],
            "options": dict(settings.loss_options),
            "temperature": settings.temperature.write(),
            "kd_weight": settings.kd_weight.write(),
        },
        "seeds": list(settings.seeds),
        "student_seed": best.seed,
        "epoch_chosen_by": settings.select,
        "arms": arms,
        "paired": paired_of(arms),
        "reliability": reliability_of(cells, weights),
        "onnx": None,
        "versions": versions(),
        "hardware": hardware(around.fabric.device),
    }


def _export(model: nn.Module, data: Data, path: Path, console: Console | None) -> Json | None:
    try:
        return export_onnx(model, data, path)
    except MissingDependencyError as error:
        if console is not None:
            console.print(f"no ONNX file: {error}", markup=False, highlight=False)
        return None


def _disagreements(cell: Cell, arm: str, parts: Parts) -> list[Json]:
    teacher_logits = cell.teacher_logits(parts.teacher_weights)
    if teacher_logits is None or arm not in cell.students:
        return []
    return disagreements(cell.data, cell.labels, teacher_logits, cell.students[arm].test_logits)


def _command() -> str:
    program = Path(sys.argv[0]).name
    words = ["didact" if program in ("didact", "__main__.py") else f"python {program}"]
    return " ".join(words + sys.argv[1:])
