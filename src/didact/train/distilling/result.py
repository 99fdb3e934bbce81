"""From trained runs to ``result.json``: the evidence that the teacher helped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from didact import metrics
from didact.nn import count_parameters, size_on_disk
from didact.train.distilling.seed_run import SeedRun
from didact.train.distilling.settings import DistillSettings
from didact.train.distilling.tasks import TASKS, classes_of
from didact.train.loop.evaluate import cached_logits, latency

Json = dict[str, Any]
FEWER_ARE_BETTER = ("bits_per_byte",)
"""Metrics of runs whose labels are of none of the tasks."""


@dataclass(frozen=True, slots=True)
class DistillResult:
    """What ``distill`` returns.

    Attributes:
        folder: The run folder.
        summary: The content of ``result.json``.
        student: The distilled student that is best on the validation split among the seeds (the
            student alone, where nothing was distilled), in eval mode.
    """

    folder: Path
    summary: Json
    student: nn.Module

    @property
    def gain(self) -> float | None:
        """By how much the distilled student is better than the student alone, on the test split.

        The mean over seeds of the difference of the task's metric: of test accuracy, of mean
        average precision, of the mean absolute error with its sign turned. With ``evaluate_on`` set
        to ``"validation"`` it is that of the validation split.
        """
        return self._better(self.summary["arms"], self.summary["metric"])

    @property
    def validation(self) -> Json:
        """The validation numbers: arm, metric, and one number for each seed.

        Choose hyperparameters by these; what was chosen by the test split is not tested by it.
        """
        found: Json = self.summary["validation"]
        return found

    @property
    def validation_gain(self) -> float | None:
        """As ``gain``, on the validation split."""
        task, metric = TASKS.get(self.summary["task"]), self.summary["metric"]
        metric = metric if task is None else task.metric_on("validation")
        return self._better(self.validation, metric)

    def _better(self, arms: Json, metric: str) -> float | None:
        if not {"alone", "distilled"} <= set(arms):
            return None
        pairs = zip(arms["distilled"][metric], arms["alone"][metric], strict=True)
        differences = [float(distilled) - float(alone) for distilled, alone in pairs]
        task = TASKS.get(self.summary["task"])
        rises = metric not in FEWER_ARE_BETTER if task is None else task.higher_is_better
        sign = 1 if rises else -1
        return float(sign * sum(differences) / len(differences))


def arms_of(runs: Sequence[SeedRun], weights: Sequence[float], *, validation: bool = False) -> Json:
    """Each arm's numbers, one per seed."""
    arms: Json = {}
    for run in runs:
        split = "validation" if validation else run.judged_on
        labels = run.labels_of(split)
        teacher_logits = run.teacher_logits(weights, validation=validation)
        found: dict[str, tuple[Tensor, Tensor | None, float]] = {}
        if teacher_logits is not None:
            seconds = sum(teacher.seconds for teacher in run.teachers)
            found["teacher"] = (teacher_logits, None, seconds)
        for arm, trained in run.students.items():
            logits = trained.validation if validation else trained.logits
            found[arm] = (logits, teacher_logits, trained.seconds)
        for arm, (logits, teacher, seconds) in found.items():
            numbers = run.task.numbers(logits, labels, teacher, split)
            if not validation:
                numbers["train_seconds"] = round(seconds, 3)
            for name, value in numbers.items():
                arms.setdefault(arm, {}).setdefault(name, []).append(value)
    return arms


class Numbered(Protocol):
    """A trained model with numbers by part of the data, and the seconds of its training."""

    @property
    def numbers(self) -> Mapping[str, Json]:
        """By part."""

    @property
    def seconds(self) -> float:
        """Of its training."""


def numbers_by_seed(trained: Sequence[Numbered], split: str) -> Json:
    """Each number of a part as a list over the seeds; beside those of the test part the seconds."""
    found: Json = {}
    for one in trained:
        seconds = {"train_seconds": round(one.seconds, 3)} if split == "test" else {}
        for name, value in {**one.numbers[split], **seconds}.items():
            found.setdefault(name, []).append(value)
    return found


def paired_of(arms: Json, metric: str) -> Json | None:
    """The paired comparison of the task's metric, or None where an arm is missing."""
    if not {"alone", "distilled"} <= set(arms):
        return None
    test = metrics.paired_test(arms["distilled"][metric], arms["alone"][metric])
    return {"what": "distilled - alone", **test.as_dict()}


def reliability_of(runs: Sequence[SeedRun], weights: Sequence[float]) -> Json:
    """Reliability bins of each arm over the test predictions of all seeds together."""
    if not runs[0].task.has_classes:
        return {}
    pooled: dict[str, list[Tensor]] = {}
    for run in runs:
        teacher_logits = run.teacher_logits(weights)
        if teacher_logits is not None:
            pooled.setdefault("teacher", []).append(teacher_logits)
        for arm, trained in run.students.items():
            pooled.setdefault(arm, []).append(trained.logits)
    labels = torch.cat([classes_of(run.labels) for run in runs])
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
            return max(candidates, key=lambda c: c.students[arm].goodness), arm
    return runs[0], "teacher"
