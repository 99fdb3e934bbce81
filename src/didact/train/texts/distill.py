"""A language model taught by another: teacher, its cache, the student alone and distilled."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from rich.console import Console
from torch import Tensor, nn

from didact import __version__, lm
from didact._core.errors import ModelError, RunFolderError
from didact.data import Batch
from didact.losses import top_k_kd
from didact.nn import count_parameters, size_on_disk
from didact.train.distilling import seed_run as streams
from didact.train.distilling.fit import DistillContext, ModelSpec, fit
from didact.train.distilling.hooks import Hooks
from didact.train.distilling.objective import StepOutputs
from didact.train.distilling.result import DistillResult, paired_of
from didact.train.loop.fabric import Fabric
from didact.train.loop.fit import RunContext, Terms
from didact.train.loop.launch import launch, refuse_place
from didact.train.loop.resume import go_on, start_run
from didact.train.loop.schedule import build_optimizer, seed_everything
from didact.train.record.checkpoint import Checkpoints, PartOf
from didact.train.record.environment import command, hardware, versions
from didact.train.record.files import write_bytes, write_tensors
from didact.train.record.interrupt import Stopper
from didact.train.record.lock import locked
from didact.train.record.log import Log, say
from didact.train.record.result import SCHEMA, Result, as_written
from didact.train.record.run_folder import (
    CACHE,
    CHECKPOINT,
    STUDENT,
    TOKENIZER,
    RunFolder,
    default_path,
)
from didact.train.texts.data import TextData, Windows, text_data
from didact.train.texts.models import LanguageModel, language_model, measure
from didact.train.texts.settings import TextSettings

Json = dict[str, Any]
COMMAND = "didact distill"
METRIC = "bits_per_byte"
VALIDATED = 32
"""Windows of the validation text that an epoch is looked at on; the end is measured on all."""


@dataclass
class Trained:
    """A trained model and its numbers on the validation and the test text."""

    model: nn.Module
    numbers: dict[str, Json]
    choices: Tensor
    seconds: float


@dataclass
class Arms:
    """What a run has trained so far: one teacher, and for each seed the two students."""

    teacher: Trained | None = None
    students: dict[str, list[Trained]] = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """What the settings name, built and read."""

    student: LanguageModel
    teacher: LanguageModel
    data: TextData
    pair: lm.VocabularyPair


def distill_text(
    settings: TextSettings,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    console: Console | None = None,
    headline: str = "",
) -> DistillResult:
    """Train the teacher, keep what it says of the student's text, and train students with it.

    The student alone and the distilled one see the same windows in the same order from the same
    weights. The distilled one's loss is ``(1 - w) CE + w top_k_kd`` of the teacher's cache. One
    teacher is shared by all seeds, so that the interval is of the students.

    Args:
        settings: All of them.
        output: The run folder to make; by default one in ``runs/``.
        overwrite: Replace a run folder that exists.
        console: Where progress is shown; nowhere by default.
        headline: Shown first.

    Raises:
        DidactError: A setting, name, model or text that cannot be used; nothing is overwritten.
    """
    parts = build_parts(settings)
    refuse_place(settings)
    path = Path(output) if output is not None else default_path("distill")
    with locked(path):
        folder = start_run(path, settings, overwrite=overwrite)
        say(console, headline)
        return _launch(folder, settings, parts, console)


def resume_text(
    folder: str | Path, *, console: Console | None = None, trust: bool = False
) -> DistillResult:
    """Go on with a run on texts that was killed or stopped.

    Raises:
        RunFolderError: The folder is no run folder, or complete, or in use, or was changed.
        CheckpointError: A checkpoint or the cache is damaged, or the text is another now.
        TrustError: The run names code, and ``trust`` is false where it matters.
    """
    run = RunFolder.open(Path(folder))
    with locked(run.path):
        settings = go_on(run, TextSettings, console, trust=trust)
        return _launch(run, settings, build_parts(settings), console)


def build_parts(settings: TextSettings) -> Parts:
    """The models, and the text in tokens that mean the same to both.

    Raises:
        UsageError: Their tokenizers differ; the first ids that do are shown.
        ModelError: A model cannot be built.
        DataError: The text cannot be used.
    """
    student, teacher = language_model(settings.student), language_model(settings.teacher)
    own = student if student.tokenizer is not None else teacher
    data = text_data(settings, own.tokenizer, own.classes or 0)
    sides = [m.tokenizer if m.tokenizer is not None else data.tokenizer for m in (student, teacher)]
    pair = lm.pair_vocabularies(
        *sides,
        student_classes=student.classes or data.classes,
        teacher_classes=teacher.classes or data.classes,
    )
    return Parts(student, teacher, data, pair)


def _launch(
    folder: RunFolder, settings: TextSettings, parts: Parts, console: Console | None
) -> DistillResult:
    work = partial(_run, folder=folder, settings=settings, parts=parts, began=time.monotonic())
    return launch(work, settings, console, command=COMMAND, folder=folder.path)


def _run(
    fabric: Fabric,
    console: Console | None,
    folder: RunFolder,
    settings: TextSettings,
    parts: Parts,
    began: float,
) -> DistillResult:
    students = [arm for arm in ("alone", "distilled") if arm in settings.arms]
    taught = not parts.teacher.trained and ("teacher" in settings.arms or "distilled" in students)
    total = settings.epochs * (taught + len(students) * len(settings.seeds))
    with Log(console, total=total) as log, Stopper() as stopper:
        checkpoints = Checkpoints(
            folder.path / CHECKPOINT, PartOf(settings.deciding(), parts.data.digest)
        )
        of_run = RunContext(COMMAND, fabric, cast("Any", settings), folder, log, stopper)
        context = DistillContext(**vars(of_run), checkpoints=checkpoints, hooks=Hooks())
        arms, cache = Arms(), None
        if "teacher" in settings.arms or "distilled" in students:
            arms.teacher = _teacher(settings, parts, context)
            said = arms.teacher.numbers["validation"][METRIC]
            log.say(f"the teacher: {said:.3f} bits per byte of the validation text")
        if "distilled" in students and arms.teacher is not None:
            cache = _cache(folder.path / CACHE, arms.teacher.model, settings, parts)
        for seed in settings.seeds:
            for arm in students:
                seed_everything(seed, streams.STUDENT_STREAM)  # both start from the same weights
                model = parts.student.build(parts.pair.student_classes, settings.window)
                objective = _label_terms if arm == "alone" else partial(_both_terms, settings)
                trained = _train(
                    model.to(fabric.device),
                    (arm, seed, settings.steps, settings.learning_rate),
                    parts.data.train,
                    _forward(cache if arm == "distilled" else None),
                    objective,
                    parts,
                    arms,
                    context,
                )
                arms.students.setdefault(arm, []).append(trained)
    return _finish(arms, settings, parts, folder, fabric, began)


def _teacher(settings: TextSettings, parts: Parts, context: DistillContext) -> Trained:
    seed = settings.seeds[0]
    seed_everything(seed, streams.TEACHER_STREAM, 0)
    model = parts.teacher.build(parts.pair.teacher_classes, settings.window)
    model.to(context.fabric.device)
    if parts.teacher.trained:
        return _measured(model, parts, None, 0.0)
    return _train(
        model,
        (
            "teacher",
            seed,
            settings.teacher_steps,
            settings.teacher_learning_rate or settings.learning_rate,
        ),
        parts.data.for_teacher,
        _forward(None),
        _label_terms,
        parts,
        Arms(),
        context,
    )


def _cache(
    folder: Path, teacher: nn.Module, settings: TextSettings, parts: Parts
) -> lm.TeacherCache:
    """What the teacher says of the student's text, on the student's classes."""

    def aligned(ids: Tensor) -> Tensor:
        device = next((p.device for p in teacher.parameters()), ids.device)
        return parts.pair.align(lm.logits_of(teacher, ids.to(device)))

    return lm.TeacherCache.build(
        folder,
        aligned,
        parts.data.train,
        k=settings.k,
        temperatures=(settings.temperature,),
        tokenizer=parts.data.tokenizer,
        name=settings.teacher,
        digest=lm.digest_of_model(teacher),
        ids="int32",
    )


def _forward(cache: lm.TeacherCache | None) -> Callable[[nn.Module, Batch], StepOutputs]:
    """The student's logits and, from the cache, the teacher's words on the same windows."""

    def look(model: nn.Module, batch: Batch) -> StepOutputs:
        kept: Any = () if cache is None else (cache.read(batch.images, rows=batch.indices),)
        return StepOutputs(lm.logits_of(model, batch.images), kept, batch.labels, batch.indices)

    return look


def _next_token(outputs: StepOutputs) -> Tensor:
    logits = outputs.student_logits[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1).float(), outputs.labels[:, 1:].flatten())


def _label_terms(outputs: StepOutputs, fraction: float) -> Terms:
    del fraction  # always the same
    return {"label": _next_token(outputs)}


def _both_terms(settings: TextSettings, outputs: StepOutputs, fraction: float) -> Terms:
    del fraction
    weight = settings.kd_weight
    (kept,) = cast("Any", outputs.teachers_logits)
    taught = top_k_kd(
        outputs.student_logits[:, :-1], kept[:, :-1], temperature=settings.temperature
    )
    found = {"top_k_kd": weight * taught}
    return found | ({"label": (1 - weight) * _next_token(outputs)} if weight < 1 else {})


def _train(
    model: nn.Module,
    plan: tuple[str, int, int, float],
    windows: Tensor,
    forward: Callable[[nn.Module, Batch], StepOutputs],
    objective: Callable[[StepOutputs, float], Any],
    parts: Parts,
    arms: Arms,
    context: DistillContext,
) -> Trained:
    """Train a model, or load it where an earlier process finished it."""
    settings, (arm, seed, steps, rate) = cast("Any", context.settings), plan
    done = context.checkpoints.finished(arm, seed)
    if done is not None:
        state, about = done
        model.load_state_dict(state)
        context.log.skip(settings.epochs)
        return _measured(model, parts, arms.teacher, float(about["seconds"]))
    seed_everything(seed, streams.TRAINING_STREAM)
    device = context.fabric.device
    few = parts.data.validation[:VALIDATED].to(device)
    spec = ModelSpec(
        arm=arm,
        seed=seed,
        epochs=settings.epochs,
        learning_rate=rate,
        model=model,
        optimizer=build_optimizer(
            settings.optimizer,
            model.parameters(),
            learning_rate=rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        ),
        batches=Windows(
            windows,
            batch_size=settings.batch_size,
            steps=steps // settings.epochs,
            seed=seed,
            device=device,
        ),
        forward_fn=forward,
        objective=objective,
        validate=lambda trained: _validated(trained, few, parts.data),
        measure=dict,
    )
    seconds = fit(spec, context).seconds
    context.folder.sync()
    context.checkpoints.finish(arm, seed, _weights_of(model), {"seconds": seconds})
    return _measured(model, parts, arms.teacher, seconds)


def _weights_of(model: nn.Module) -> dict[str, Tensor]:
    """All weights, each stored by itself: two names may share one."""
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}


def _validated(model: nn.Module, few: Tensor, data: TextData) -> tuple[float, dict[str, float]]:
    found, _ = measure(model, few)
    bits = bits_per_byte(found["nll"], data.bytes_per_token["validation"])
    return -bits, {f"validation_{METRIC}": bits}


def bits_per_byte(nll: float, bytes_per_token: float) -> float:
    """From nats for each token to bits for each byte of the text: comparable over vocabularies."""
    return nll / math.log(2) / bytes_per_token


def _measured(model: nn.Module, parts: Parts, teacher: Trained | None, seconds: float) -> Trained:
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    numbers: dict[str, Json] = {}
    choices = torch.zeros(0)
    for split in ("validation", "test"):
        windows = getattr(parts.data, split).to(device)
        asked = None if teacher is None or split == "validation" else teacher.choices
        found, choices = measure(model, windows, teacher=asked)
        bits = bits_per_byte(found["nll"], parts.data.bytes_per_token[split])
        numbers[split] = {METRIC: bits, "nll": found["nll"]}
        if asked is not None:
            numbers[split]["agreement_top1"] = found["agreement_top1"]
    return Trained(model.eval(), numbers, choices, seconds)


def _finish(
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
    write_tensors(folder.path / STUDENT, _weights_of(best.model), about)
    tokenizer = getattr(data.tokenizer, "backend_tokenizer", data.tokenizer)
    if hasattr(tokenizer, "to_str"):
        write_bytes(folder.path / TOKENIZER, tokenizer.to_str().encode())
    found = {
        split: {name: _numbers(trained, split) for name, trained in every.items()}
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


def _numbers(trained: Sequence[Trained], split: str) -> Json:
    found: Json = {}
    for one in trained:
        seconds = {"train_seconds": round(one.seconds, 3)} if split == "test" else {}
        for name, value in {**one.numbers[split], **seconds}.items():
            found.setdefault(name, []).append(value)
    return found


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
    from didact.train.record.files import read_tensors

    path = Path(folder)
    state, about = read_tensors(path / STUDENT)
    if about.get("task") != "text":
        raise RunFolderError(f"{folder} is no run on texts; expected one of --recipe text")
    source = language_model(str(about["model"]))
    model = source.build(int(about["classes"]), int(about["window"]))
    model.load_state_dict(state)
    tokenizer = source.tokenizer
    return model.eval(), tokenizer if tokenizer is not None else lm.read_tokenizer(path)
