"""The end of a run: the student on disk, the numbers of ``result.json``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from torch import nn

from didact import __version__
from didact._core.errors import MissingDependencyError
from didact.data import Data
from didact.train.distilling.predictions import predictions_of
from didact.train.distilling.result import (
    DistillResult,
    arms_of,
    best_student,
    data_of,
    models_of,
    paired_of,
    reliability_of,
)
from didact.train.distilling.seed_run import Components, SeedRun
from didact.train.distilling.settings import DistillSettings
from didact.train.distilling.tasks import classes_of
from didact.train.distilling.tree import tree_of
from didact.train.loop.evaluate import disagreements
from didact.train.loop.export import CannotExportError, export_onnx
from didact.train.loop.fit import RunContext
from didact.train.loop.models import save_model
from didact.train.record.environment import command, hardware, versions
from didact.train.record.files import write_json
from didact.train.record.result import SCHEMA, Result, as_written
from didact.train.record.run_folder import DISAGREEMENTS, ONNX, PREDICTIONS, STUDENT, TREE

Json = dict[str, Any]


def finish(
    runs: Sequence[SeedRun],
    components: Components,
    context: RunContext[DistillSettings],
    console: Console | None,
    began: float,
) -> DistillResult:
    """Write the student, its ONNX form and the results; ``result.json`` comes last."""
    run, arm = best_student(runs)
    model = run.students[arm].model if arm in run.students else run.teachers[0].model
    source = components.student if arm in run.students else components.teachers[0]
    name = source.architecture or source.name
    summary = _summary(runs, run, components, context) | {"student_arm": arm}
    folder, device = context.folder, context.fabric.device
    if context.fabric.is_global_zero:
        save_model(folder.path / STUDENT, model, name, run.data)
        if context.settings.onnx:
            summary["onnx"] = _export(model, run.data, folder.path / ONNX, console)
        model.to(device)
        summary["seconds"] = round(time.monotonic() - began, 2)
        summary = as_written(Result, summary)
        write_json(folder.path / DISAGREEMENTS, _disagreements(run, arm, components))
        if run.task.has_classes:
            write_json(folder.path / PREDICTIONS, predictions_of(runs, components.teacher_weights))
        if (tree := tree_of(model, run.data)) is not None:
            write_json(folder.path / TREE, tree)
        summary = folder.finish(summary)
    context.fabric.barrier()
    return DistillResult(folder.path, summary, model)


def _summary(
    runs: Sequence[SeedRun],
    best: SeedRun,
    components: Components,
    context: RunContext[DistillSettings],
) -> Json:
    settings, weights = context.settings, components.teacher_weights
    arms, metric = arms_of(runs, weights), best.task.metric_on(settings.evaluate_on)
    teacher_names = [source.name for source in components.teachers]
    return {
        "schema": SCHEMA,
        "kind": "distill",
        "didact": __version__,
        "command": command(),
        "started": context.folder.start().get("started", ""),
        "seconds": 0.0,
        "complete": True,
        "task": best.task.name,
        "metric": metric,
        "evaluated_on": settings.evaluate_on,
        "data": data_of(best, settings),
        "models": models_of(best, teacher_names, components.student.name, context.fabric.device),
        "loss": {
            "names": [choice.name for choice in components.losses],
            "weights": [choice.weight for choice in components.losses],
            "options": dict(settings.loss_options),
            "temperature": settings.temperature.write(),
            "kd_weight": settings.kd_weight.write(),
        },
        "seeds": list(settings.seeds),
        "student_seed": best.seed,
        "epoch_chosen_by": settings.select,
        "arms": arms,
        "validation": arms_of(runs, weights, validation=True),
        "paired": paired_of(arms, metric),
        "reliability": reliability_of(runs, weights),
        "onnx": None,
        "versions": versions(),
        "hardware": hardware(context.fabric.device),
    }


def _export(model: nn.Module, data: Data, path: Path, console: Console | None) -> Json | None:
    try:
        return export_onnx(model, data, path)
    except (MissingDependencyError, CannotExportError) as error:
        if console is not None:
            console.print(f"no ONNX file: {error}", markup=False, highlight=False)
        return None


def _disagreements(run: SeedRun, arm: str, components: Components) -> list[Json]:
    teacher_logits = run.teacher_logits(components.teacher_weights)
    if teacher_logits is None or arm not in run.students or not run.task.has_classes:
        return []
    labels, own = classes_of(run.labels), run.students[arm].logits
    return disagreements(run.data, run.judged_on, labels, teacher_logits, own)
