"""From trained runs to ``result.json``: the evidence that the teacher helped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from didact import metrics
from didact.nn import count_parameters, size_on_disk
from didact.train.distilling.seed_run import SeedRun
from didact.train.distilling.settings import DistillSettings
from didact.train.loop.evaluate import cached_logits, latency, score

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DistillResult:
    """What ``distill`` returns.

    Attributes:
        folder: The run folder.
        summary: The content of ``result.json``.
        student: The distilled student with the best validation accuracy among the seeds (the
            student alone, where nothing was distilled), in eval mode.
    """

    folder: Path
    summary: Json
    student: nn.Module

    @property
    def gain(self) -> float | None:
        """Mean test accuracy of the distilled student minus that of the student alone."""
        paired = self.summary["paired"]
        return None if paired is None else float(paired["mean"])


def arms_of(runs: Sequence[SeedRun], weights: Sequence[float]) -> Json:
    """Each arm's numbers, one per seed."""
    arms: Json = {}
    for run in runs:
        teacher_logits = run.teacher_logits(weights)
        found: dict[str, tuple[Tensor, Tensor | None, float]] = {}
        if teacher_logits is not None:
            seconds = sum(teacher.seconds for teacher in run.teachers)
            found["teacher"] = (teacher_logits, None, seconds)
        for arm, trained in run.students.items():
            found[arm] = (trained.test_logits, teacher_logits, trained.seconds)
        for arm, (logits, teacher, seconds) in found.items():
            numbers = score(logits, run.labels, teacher) | {"train_seconds": round(seconds, 3)}
            for name, value in numbers.items():
                arms.setdefault(arm, {}).setdefault(name, []).append(value)
    return arms


def paired_of(arms: Json) -> Json | None:
    """The paired comparison of test accuracy, or None where an arm is missing."""
    if not {"alone", "distilled"} <= set(arms):
        return None
    test = metrics.paired_test(arms["distilled"]["test_accuracy"], arms["alone"]["test_accuracy"])
    return {"what": "distilled - alone", **test.as_dict()}


def reliability_of(runs: Sequence[SeedRun], weights: Sequence[float]) -> Json:
    """Reliability bins of each arm over the test predictions of all seeds together."""
    pooled: dict[str, list[Tensor]] = {}
    for run in runs:
        teacher_logits = run.teacher_logits(weights)
        if teacher_logits is not None:
            pooled.setdefault("teacher", []).append(teacher_logits)
        for arm, trained in run.students.items():
            pooled.setdefault(arm, []).append(trained.test_logits)
    labels = torch.cat([run.labels for run in runs])
    return {
        arm: metrics.expected_calibration_error(torch.cat(logits), labels).bins()
        for arm, logits in pooled.items()
    }


def models_of(run: SeedRun, names: Sequence[str], student: str, device: torch.device) -> Json:
    """Size and speed of the teachers and the student."""

    def about(name: str, model: nn.Module) -> Json:
        if cached_logits(model) is not None:
            return {"name": name}
        known = count_parameters(model) > 0  # a function or an ONNX file does not say
        return {
            "name": name,
            "parameters": count_parameters(model) if known else None,
            "bytes": size_on_disk(model) if known else None,
            "latency_ms": latency(model, run.data, device),
        }

    models: Json = {"teacher": [], "student": None}
    for name, trained in zip(names, run.teachers, strict=False):
        models["teacher"].append(about(name, trained.model))
    for trained in run.students.values():
        models["student"] = about(student, trained.model)
    return models


def data_of(run: SeedRun, settings: DistillSettings) -> Json:
    """What the models were trained and tested on."""
    data = run.data
    return {
        "name": data.name,
        "train": len(data.train),
        "labelled": int(data.labelled.sum()),
        "label_noise": settings.label_noise,
        "validation": len(data.validation),
        "test": len(data.test),
        "num_classes": data.num_classes,
        "class_names": list(data.class_names),
        "image_shape": list(data.image_shape),
    }


def best_student(runs: Sequence[SeedRun]) -> tuple[SeedRun, str]:
    """The seed whose student is best on validation, and its arm; the test split has no say."""
    for arm in ("distilled", "alone"):
        candidates = [run for run in runs if arm in run.students]
        if candidates:
            return max(candidates, key=lambda c: c.students[arm].validation_accuracy), arm
    return runs[0], "teacher"
