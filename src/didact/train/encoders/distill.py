"""A sentence encoder taught by another: its vectors, the student alone, the student distilled."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from torch import Tensor

from didact import __version__
from didact._core.errors import MissingDependencyError
from didact.lm import SentenceModel, notes_on_tokenizer, rows_of
from didact.nn import count_parameters, size_on_disk
from didact.train.distilling import seed_run as streams
from didact.train.distilling.fit import DistillContext, ModelSpec, fit
from didact.train.distilling.hooks import Hooks
from didact.train.distilling.losses import LossChoice
from didact.train.distilling.result import DistillResult, numbers_by_seed, paired_of
from didact.train.encoders.data import SentenceData, notes_on, sentence_data
from didact.train.encoders.export import export_encoder
from didact.train.encoders.load import SentenceEncoder
from didact.train.encoders.measure import (
    latency_of,
    metric_of,
    nearest_mean_accuracy,
    neighbours_kept,
    numbers_of,
)
from didact.train.encoders.models import (
    Encoder,
    SentenceClassifier,
    encoded,
    encoder_of,
    fitted_head,
    network,
)
from didact.train.encoders.objective import (
    Distillation,
    Pairs,
    Sentences,
    chosen_losses,
    contrast_terms,
    label_terms,
    look_at_labels,
    look_at_two_views,
    look_with_teacher,
    try_losses,
)
from didact.train.encoders.settings import EncoderSettings
from didact.train.encoders.teachers import SentenceTeacher, kept_vectors, sentence_teacher
from didact.train.loop.export import CannotExportError
from didact.train.loop.fabric import Fabric
from didact.train.loop.fit import AnyBatches, RunContext
from didact.train.loop.launch import launch, refuse_place
from didact.train.loop.resume import go_on, start_run
from didact.train.loop.schedule import build_optimizer, seed_everything
from didact.train.record.checkpoint import Checkpoints, PartOf, model_state
from didact.train.record.environment import command, hardware, versions
from didact.train.record.files import write_bytes, write_tensors
from didact.train.record.interrupt import Stopper
from didact.train.record.lock import locked
from didact.train.record.log import Log, say
from didact.train.record.result import SCHEMA, Result, as_written
from didact.train.record.run_folder import (
    CACHE,
    CHECKPOINT,
    ONNX,
    STUDENT,
    TOKENIZER,
    RunFolder,
    default_path,
)

Json = dict[str, Any]
COMMAND = "didact distill"


@dataclass
class Trained:
    """A model with its numbers on the validation and the test part.

    Attributes:
        numbers: By part.
        seconds: That its training took.
        model: None for a teacher of others.
    """

    numbers: dict[str, Json]
    seconds: float
    model: SentenceClassifier | None = None


@dataclass(frozen=True)
class Parts:
    """What the settings name, built and read."""

    student: Encoder
    teacher: SentenceTeacher
    data: SentenceData
    losses: list[LossChoice]
    dimension: int


@dataclass
class Taught:
    """What the teacher says: vectors of all sentences, and how long its own training took."""

    vectors: Tensor
    seconds: float = 0.0
    model: SentenceClassifier | None = None


@dataclass
class Arms:
    """What a run has trained so far; one number for each seed."""

    trained: dict[str, list[Trained]] = field(default_factory=dict)

    def add(self, arm: str, one: Trained) -> None:
        """The next seed of an arm."""
        self.trained.setdefault(arm, []).append(one)


def distill_encoder(
    settings: EncoderSettings,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    console: Console | None = None,
    headline: str = "",
) -> DistillResult:
    """Keep what the teacher says of all sentences, and train students with it and without.

    The distilled student sees every sentence with the teacher's vector and, where there are labels,
    the logits of a head on it; the student alone sees the labels, or where there are none its own
    two views of each sentence. Both start from the same weights and take as many steps. On the
    vectors of each, the teacher's too, the same logistic regression is fitted to the labels that
    the seed may use.

    Args:
        settings: All of them.
        output: The run folder to make; by default one in ``runs/``.
        overwrite: Replace a run folder that exists.
        console: Where progress is shown; nowhere by default.
        headline: Shown first.

    Raises:
        DidactError: A setting, name, model or file that cannot be used; nothing is overwritten.
    """
    parts = build_parts(settings)
    refuse_place(settings)
    path = Path(output) if output is not None else default_path("distill")
    with locked(path):
        folder = start_run(path, settings, overwrite=overwrite)
        say(console, headline, *notes_on(parts.data, settings), *_notes_on_teacher(parts))
        return _launch(folder, settings, parts, console)


def resume_encoder(
    folder: str | Path, *, console: Console | None = None, trust: bool = False
) -> DistillResult:
    """Go on with a run on sentences that was killed or stopped.

    Raises:
        RunFolderError: The folder is no run folder, or complete, or in use, or was changed.
        CheckpointError: A checkpoint or what the teacher said is damaged, or other data are there.
        TrustError: The run names code, and ``trust`` is false where it matters.
    """
    run = RunFolder.open(Path(folder))
    with locked(run.path):
        settings = go_on(run, EncoderSettings, console, trust=trust)
        return _launch(run, settings, build_parts(settings), console)


def build_parts(settings: EncoderSettings) -> Parts:
    """The sentences, the teacher and the student that the settings name.

    Raises:
        DidactError: One of them cannot be used.
    """
    student = encoder_of(settings.student)
    teacher = sentence_teacher(settings.teacher)
    data = sentence_data(settings)
    losses = chosen_losses(settings, has_classes=data.has_classes)
    if teacher.untrained is not None:
        made = _network(teacher.untrained, data, settings, None)
        dimension = made(data.ids[:1])[0].shape[1]
    elif teacher.vectors is not None:
        dimension = teacher.vectors.shape[1]
    else:
        assert teacher.encode is not None
        dimension = teacher.encode(data.sentences.texts[:1]).shape[1]
    try_losses(losses, settings, dimension, len(data.class_names))
    _network(student, data, settings, dimension)
    return Parts(student, teacher, data, losses, dimension)


def _notes_on_teacher(parts: Parts) -> list[str]:
    teacher = parts.teacher
    if not isinstance(teacher.model, SentenceModel):
        return []
    model, texts = teacher.model, parts.data.sentences.texts
    return notes_on_tokenizer(teacher.name, model.tokenizer, rows_of(model.transformer), texts)


def _network(
    encoder: Encoder, data: SentenceData, settings: EncoderSettings, dimension: int | None
) -> SentenceClassifier:
    return network(
        encoder,
        tokens=data.classes,
        window=settings.window,
        dimension=dimension,
        classes=len(data.class_names),
    )


def _launch(
    folder: RunFolder, settings: EncoderSettings, parts: Parts, console: Console | None
) -> DistillResult:
    work = partial(_run, folder=folder, settings=settings, parts=parts, began=time.monotonic())
    return launch(work, settings, console, command=COMMAND, folder=folder.path)


def _run(
    fabric: Fabric,
    console: Console | None,
    folder: RunFolder,
    settings: EncoderSettings,
    parts: Parts,
    began: float,
) -> DistillResult:
    students = [arm for arm in ("alone", "distilled") if arm in settings.arms]
    own = parts.teacher.untrained is not None
    total = settings.epochs * (own + len(students) * len(settings.seeds))
    with Log(console, total=total) as log, Stopper() as stopper:
        part_of = PartOf(settings.deciding() | {"weights": parts.teacher.digest}, parts.data.digest)
        of_run = RunContext(COMMAND, fabric, cast("Any", settings), folder, log, stopper)
        checkpoints = Checkpoints(folder.path / CHECKPOINT, part_of)
        context = DistillContext(**vars(of_run), checkpoints=checkpoints, hooks=Hooks())
        taught, arms = _taught(settings, parts, context), Arms()
        for seed in settings.seeds:
            labelled = parts.data.labelled(seed, settings.labels_per_class)
            logits = _logits(parts.data, taught.vectors, labelled)
            if "teacher" in settings.arms:
                numbers = _numbers(parts.data, taught.vectors, logits, None)
                arms.add("teacher", Trained(numbers, taught.seconds, taught.model))
            for arm in students:
                seed_everything(seed, streams.STUDENT_STREAM)  # both start from the same weights
                model = _network(parts.student, parts.data, settings, parts.dimension)
                arms.add(
                    arm, _student(arm, seed, model, labelled, (taught, logits), parts, context)
                )
        log.say("measuring and exporting")
    return _finish(arms, taught, settings, parts, folder, fabric, began, console)


def _taught(settings: EncoderSettings, parts: Parts, context: DistillContext) -> Taught:
    """Train the teacher, where that is wanted, and let it say its vectors."""
    log, teacher = context.log, parts.teacher
    if teacher.untrained is not None:
        seed = settings.seeds[0]
        seed_everything(seed, streams.TEACHER_STREAM, 0)
        model = _network(teacher.untrained, parts.data, settings, None)
        rate = settings.teacher_learning_rate or settings.learning_rate
        plan = _Plan("teacher", seed, settings.teacher_steps, rate)
        labelled = parts.data.labelled(seed, settings.labels_per_class)
        seconds = _train(
            model, plan, _pairs(plan, parts, context), look_at_two_views, contrast_terms,
            labelled, None, parts, context,
        )  # fmt: skip
        return Taught(encoded(model, parts.data.ids)[0].cpu(), seconds, model.eval())
    if teacher.model is not None:
        teacher.model.to(context.fabric.device)

    def progress(done: int, of: int) -> None:
        log.reach(0, f"{teacher.name} has read {done} of {of} sentences")

    return Taught(
        kept_vectors(
            context.folder.path / CACHE,
            teacher,
            teacher.encode,
            parts.data.sentences,
            context.checkpoints.part_of,
            progress,
        )
    )


@dataclass(frozen=True)
class _Plan:
    """How one model is trained."""

    arm: str
    seed: int
    steps: int
    learning_rate: float


def _student(
    arm: str,
    seed: int,
    model: SentenceClassifier,
    labelled: Tensor,
    teacher: tuple[Taught, Tensor | None],
    parts: Parts,
    context: DistillContext,
) -> Trained:
    """One student of one seed, with a head that is fitted to its vectors."""
    settings, data = cast("EncoderSettings", context.settings), parts.data
    plan = _Plan(arm, seed, settings.steps, settings.learning_rate)
    vectors, logits = teacher[0].vectors, teacher[1]
    batches: AnyBatches
    look: Any
    terms: Any
    if arm == "distilled":
        batches = _batches(data.train, plan, parts, context)
        look, terms = (
            look_with_teacher(vectors, logits, data.labels),
            Distillation(parts.losses, settings),
        )
    elif data.has_classes:
        batches = _batches(labelled, plan, parts, context)
        look, terms = look_at_labels(data.labels), label_terms
    else:
        batches, look, terms = _pairs(plan, parts, context), look_at_two_views, contrast_terms
    seconds = _train(model, plan, batches, look, terms, labelled, vectors, parts, context)
    own, said = encoded(model, data.ids)
    numbers = _numbers(data, own.cpu(), said.cpu() if data.has_classes else None, (vectors, logits))
    return Trained(numbers, seconds, model.eval())


def _batches(places: Tensor, plan: _Plan, parts: Parts, context: DistillContext) -> Sentences:
    return Sentences(
        parts.data,
        places,
        cast("EncoderSettings", context.settings),
        steps=plan.steps,
        seed=plan.seed,
        device=context.fabric.device,
    )


def _pairs(plan: _Plan, parts: Parts, context: DistillContext) -> Pairs:
    return Pairs(
        parts.data,
        cast("EncoderSettings", context.settings),
        steps=plan.steps,
        seed=plan.seed,
        device=context.fabric.device,
    )


def _train(
    model: SentenceClassifier,
    plan: _Plan,
    batches: AnyBatches,
    look: Callable[..., Any],
    terms: Callable[..., Any],
    labelled: Tensor,
    teacher: Tensor | None,
    parts: Parts,
    context: DistillContext,
) -> float:
    """Train a model in place, or load it where an earlier process finished it."""
    settings, data = cast("EncoderSettings", context.settings), parts.data
    model.to(context.fabric.device)
    done = context.checkpoints.finished(plan.arm, plan.seed)
    if done is not None:
        model.load_state_dict(done[0])
        context.log.skip(settings.epochs)
        return float(done[1]["seconds"])
    seed_everything(plan.seed, streams.TRAINING_STREAM)
    spec = ModelSpec(
        arm=plan.arm,
        seed=plan.seed,
        epochs=settings.epochs,
        learning_rate=plan.learning_rate,
        model=model,
        optimizer=build_optimizer(
            settings.optimizer,
            model.parameters(),
            learning_rate=plan.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        ),
        batches=batches,
        forward_fn=look,
        objective=terms,
        validate=lambda trained: _validated(trained, data, labelled, teacher),
        measure=dict,
    )
    seconds = fit(spec, context).seconds
    if data.has_classes:
        vectors, _ = encoded(model, data.ids[labelled])
        model.head = fitted_head(vectors, data.labels[labelled])
    context.folder.sync()
    context.checkpoints.finish(plan.arm, plan.seed, model_state(model), {"seconds": seconds})
    return seconds


def _validated(
    model: Any, data: SentenceData, labelled: Tensor, teacher: Tensor | None
) -> tuple[float, dict[str, float]]:
    """A look at the validation part that costs little: the nearest class mean, or neighbours."""
    vectors = encoded(model, data.ids[data.validation])[0].cpu()
    if data.has_classes:
        known = encoded(model, data.ids[labelled])[0].cpu()
        labels = data.labels
        found = nearest_mean_accuracy(known, labels[labelled], vectors, labels[data.validation])
        return found, {"validation_accuracy": found}
    if teacher is None:
        return 0.0, {}
    kept = neighbours_kept(vectors, teacher[data.validation])
    return kept, {"validation_neighbours_kept": kept}


def _logits(data: SentenceData, vectors: Tensor, labelled: Tensor) -> Tensor | None:
    """Those of a head on the teacher's vectors, fitted to the labels of a seed."""
    if not data.has_classes:
        return None
    head = fitted_head(vectors[labelled], data.labels[labelled])
    return SentenceClassifier.logits_of(head, vectors).detach()


def _numbers(
    data: SentenceData,
    vectors: Tensor,
    logits: Tensor | None,
    teacher: tuple[Tensor, Tensor | None] | None,
) -> dict[str, Json]:
    splits = ("validation", "test")
    return {split: numbers_of(data, split, vectors, logits, teacher) for split in splits}


def _finish(
    arms: Arms,
    taught: Taught,
    settings: EncoderSettings,
    parts: Parts,
    folder: RunFolder,
    fabric: Fabric,
    began: float,
    console: Console | None,
) -> DistillResult:
    """Write the student, its tokenizer, ONNX and the results; ``result.json`` comes last."""
    every, data = arms.trained, parts.data
    students = {arm: every[arm] for arm in ("distilled", "alone") if arm in every}
    arm = next(iter(students))
    chosen_by = metric_of(data, "validation")
    scores = [one.numbers["validation"][chosen_by] for one in students[arm]]
    place = scores.index(max(scores))
    best = cast("SentenceClassifier", students[arm][place].model).cpu()
    about = {"model": settings.student, "task": "sentences", "window": settings.window}
    about |= {"tokens": data.classes, "dimension": parts.dimension}
    about |= {"class_names": list(data.class_names)}
    write_tensors(folder.path / STUDENT, model_state(best), about)
    write_bytes(folder.path / TOKENIZER, data.tokenizer.to_str().encode())
    found = {
        split: {name: numbers_by_seed(trained, split) for name, trained in every.items()}
        for split in ("test", "validation")
    }
    metric = metric_of(data)
    summary = {
        "schema": SCHEMA,
        "kind": "distill",
        "didact": __version__,
        "command": command(),
        "started": folder.start().get("started", ""),
        "complete": True,
        "task": "single-label" if data.has_classes else "sentences",
        "metric": metric,
        "evaluated_on": "test",
        "data": _data_of(data, settings),
        "models": {
            "teacher": [_teacher_of(parts, taught)] if "teacher" in every else [],
            "student": _student_of(best, parts),
        },
        "loss": {
            "names": [choice.name for choice in parts.losses],
            "weights": [choice.weight for choice in parts.losses],
            "temperature": settings.temperature,
        },
        "seeds": list(settings.seeds),
        "student_seed": settings.seeds[place],
        "student_arm": arm,
        "epoch_chosen_by": settings.select,
        "arms": found["test"],
        "validation": found["validation"],
        "paired": paired_of(found["test"], metric),
        "onnx": _onnx(best, parts, folder, settings, console),
        "versions": versions(),
        "hardware": hardware(fabric.device),
        "seconds": round(time.monotonic() - began, 2),
    }
    return DistillResult(folder.path, folder.finish(as_written(Result, summary)), best)


def _onnx(
    model: SentenceClassifier,
    parts: Parts,
    folder: RunFolder,
    settings: EncoderSettings,
    console: Console | None,
) -> Json | None:
    if not settings.onnx:
        return None
    try:
        return export_encoder(model, parts.data, folder.path / ONNX, settings.window)
    except (MissingDependencyError, CannotExportError) as error:
        say(console, f"no ONNX file: {error}")
        return None


def _teacher_of(parts: Parts, taught: Taught) -> Json:
    texts = _test_texts(parts.data)
    if taught.model is not None:
        whole = SentenceEncoder(taught.model, parts.data.tokenizer, parts.data.class_names)
        return _sized(parts.teacher.name, taught.model) | {
            "latency_ms": latency_of(whole.encode, texts)
        }
    about = parts.teacher.about()
    if parts.teacher.encode is not None:
        about["latency_ms"] = latency_of(parts.teacher.encode, texts)
    return about


def _student_of(model: SentenceClassifier, parts: Parts) -> Json:
    whole = SentenceEncoder(model, parts.data.tokenizer, parts.data.class_names)
    about = _sized(parts.student.name, model)
    return about | {"latency_ms": latency_of(whole.encode, _test_texts(parts.data))}


def _sized(name: str, model: SentenceClassifier) -> Json:
    """Of the encoder and its head: what a user runs."""
    return {"name": name, "parameters": count_parameters(model), "bytes": size_on_disk(model)}


def _test_texts(data: SentenceData) -> list[str]:
    return [data.sentences.texts[n] for n in data.test[:64].tolist()]


def _data_of(data: SentenceData, settings: EncoderSettings) -> Json:
    used = data.labelled(settings.seeds[0], settings.labels_per_class)
    labels: Json = {"labelled": len(used), "num_classes": len(data.class_names)}
    return {
        "name": settings.data,
        "samples": "sentences",
        "train": len(data.train),
        "validation": len(data.validation),
        "test": len(data.test),
        "class_names": list(data.class_names),
        **(labels if data.has_classes else {}),
    }
