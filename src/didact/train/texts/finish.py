"""What a run on texts leaves behind: the student, its tokenizer and the numbers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from torch import nn

from didact import __version__, lm
from didact._core.errors import ModelError, RunFolderError
from didact.nn import count_parameters, size_on_disk
from didact.train.distilling.result import DistillResult, numbers_by_seed, paired_of
from didact.train.loop.fabric import Fabric
from didact.train.record.environment import command, hardware, versions
from didact.train.record.files import read_tensors, write_bytes, write_tensors
from didact.train.record.result import SCHEMA, Result, as_written
from didact.train.record.run_folder import STUDENT, TOKENIZER, RunFolder
from didact.train.texts.arms import METRIC, Arms, Json, Trained, weights_of
from didact.train.texts.data import TextData
from didact.train.texts.models import LanguageModel, language_model
from didact.train.texts.parts import Parts
from didact.train.texts.settings import TextSettings


def finish(
    arms: Arms,
    settings: TextSettings,
    parts: Parts,
    folder: RunFolder,
    fabric: Fabric,
    began: float,
) -> DistillResult:
    """Write the student, its tokenizer and the results; ``result.json`` comes last."""
    every: dict[str, list[Trained]] = dict(arms.students)
    if arms.teacher is not None and "teacher" in settings.arms:
        every = {"teacher": [arms.teacher], **every}
    if not every:
        raise ModelError("no arm was trained; expected teacher, alone or distilled in arms")
    arm = next(name for name in ("distilled", "alone", "teacher") if name in every)
    numbered = list(enumerate(every[arm]))
    place, best = min(numbered, key=lambda pair: pair[1].numbers["validation"][METRIC])
    data, source = parts.data, parts.teacher if arm == "teacher" else parts.student
    about = {"model": source.name, "task": "text", "window": settings.window}
    about |= {"classes": parts.pair.student_classes, "vocabulary": parts.pair.digest}
    write_tensors(folder.path / STUDENT, weights_of(best.model), about)
    tokenizer = getattr(data.tokenizer, "backend_tokenizer", data.tokenizer)
    if hasattr(tokenizer, "to_str"):
        write_bytes(folder.path / TOKENIZER, tokenizer.to_str().encode())
    found = {
        split: {name: numbers_by_seed(trained, split) for name, trained in every.items()}
        for split in ("test", "validation")
    }
    student = every.get("distilled", every.get("alone", []))
    summary = {
        "schema": SCHEMA,
        "kind": "distill",
        "didact": __version__,
        "command": command(),
        "started": folder.start().get("started", ""),
        "seconds": round(time.monotonic() - began, 2),
        "complete": True,
        "task": "text",
        "metric": METRIC,
        "evaluated_on": "test",
        "data": _data_of(data),
        "models": {
            "teacher": [] if arms.teacher is None else [_model(parts.teacher, arms.teacher)],
            "student": _model(parts.student, student[0]) if student else None,
        },
        "loss": {
            "names": ["top_k_kd"],
            "weights": [1.0],
            "options": {"k": settings.k},
            "temperature": settings.temperature,
            "kd_weight": settings.kd_weight,
        },
        "seeds": list(settings.seeds),
        "student_seed": settings.seeds[place],
        "student_arm": arm,
        "epoch_chosen_by": settings.select,
        "arms": found["test"],
        "validation": found["validation"],
        "paired": paired_of(found["test"], METRIC),
        "onnx": None,
        "versions": versions(),
        "hardware": hardware(fabric.device),
    }
    return DistillResult(folder.path, folder.finish(as_written(Result, summary)), best.model)


def _model(source: LanguageModel, trained: Trained) -> Json:
    return {
        "name": source.name,
        "parameters": count_parameters(trained.model),
        "bytes": size_on_disk(trained.model),
    }


def _data_of(data: TextData) -> Json:
    return {
        "name": data.name,
        "train": len(data.train),
        "validation": len(data.validation),
        "test": len(data.test),
        "num_classes": data.classes,
        "image_shape": [data.train.shape[1]],
    }


def load_text_student(folder: str | Path) -> tuple[nn.Module, Any]:
    """The student of a finished run and the tokenizer it reads with.

    Raises:
        RunFolderError: The folder is no run on texts.
        CheckpointError: The student is damaged.
    """
    path = Path(folder)
    state, about = read_tensors(path / STUDENT)
    if about.get("task") != "text":
        raise RunFolderError(f"{folder} is no run on texts; expected one of --recipe text")
    source = language_model(str(about["model"]))
    model = source.build(int(about["classes"]), int(about["window"]))
    model.load_state_dict(state)
    tokenizer = source.tokenizer
    return model.eval(), tokenizer if tokenizer is not None else lm.read_tokenizer(path)
