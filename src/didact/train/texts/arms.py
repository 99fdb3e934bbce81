"""One model of a run on texts: the teacher, a student alone, a student distilled."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact import lm
from didact.data import Batch
from didact.losses import top_k_kd
from didact.train.distilling import seed_run as streams
from didact.train.distilling.fit import DistillContext, ModelSpec, fit
from didact.train.distilling.objective import StepOutputs
from didact.train.loop.fit import Terms
from didact.train.loop.schedule import build_optimizer, seed_everything
from didact.train.texts.data import TextData, Windows
from didact.train.texts.models import measure
from didact.train.texts.parts import Parts
from didact.train.texts.settings import TextSettings

Json = dict[str, Any]
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


def taught_here(settings: TextSettings, parts: Parts, context: DistillContext) -> Trained:
    """The teacher: trained here, or as it comes."""
    seed = settings.seeds[0]
    seed_everything(seed, streams.TEACHER_STREAM, 0)
    model = parts.teacher.build(parts.pair.teacher_classes, settings.window)
    model.to(context.fabric.device)
    if parts.teacher.trained:
        return measured(model, parts, None, 0.0)
    return train(
        model,
        (
            "teacher",
            seed,
            settings.teacher_steps,
            settings.teacher_learning_rate or settings.learning_rate,
        ),
        parts.data.for_teacher,
        forward_from(None),
        label_terms,
        parts,
        Arms(),
        context,
    )


def cache_of(
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


def forward_from(cache: lm.TeacherCache | None) -> Callable[[nn.Module, Batch], StepOutputs]:
    """The student's logits and, from the cache, the teacher's words on the same windows."""

    def look(model: nn.Module, batch: Batch) -> StepOutputs:
        kept: Any = () if cache is None else (cache.read(batch.images, rows=batch.indices),)
        return StepOutputs(lm.logits_of(model, batch.images), kept, batch.labels, batch.indices)

    return look


def _next_token(outputs: StepOutputs) -> Tensor:
    logits = outputs.student_logits[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1).float(), outputs.labels[:, 1:].flatten())


def label_terms(outputs: StepOutputs, fraction: float) -> Terms:
    """The loss of a model alone."""
    del fraction  # always the same
    return {"label": _next_token(outputs)}


def both_terms(settings: TextSettings, outputs: StepOutputs, fraction: float) -> Terms:
    """The losses of the distilled student."""
    del fraction
    weight = settings.kd_weight
    (kept,) = cast("Any", outputs.teachers_logits)
    taught = top_k_kd(
        outputs.student_logits[:, :-1], kept[:, :-1], temperature=settings.temperature
    )
    found = {"top_k_kd": weight * taught}
    return found | ({"label": (1 - weight) * _next_token(outputs)} if weight < 1 else {})


def train(
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
        return measured(model, parts, arms.teacher, float(about["seconds"]))
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
    context.checkpoints.finish(arm, seed, weights_of(model), {"seconds": seconds})
    return measured(model, parts, arms.teacher, seconds)


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """All weights, each stored by itself: two names may share one."""
    return {name: value.detach().cpu().clone() for name, value in model.state_dict().items()}


def _validated(model: nn.Module, few: Tensor, data: TextData) -> tuple[float, dict[str, float]]:
    found, _ = measure(model, few)
    bits = bits_per_byte(found["nll"], data.bytes_per_token["validation"])
    return -bits, {f"validation_{METRIC}": bits}


def bits_per_byte(nll: float, bytes_per_token: float) -> float:
    """From nats for each token to bits for each byte of the text: comparable over vocabularies."""
    return nll / math.log(2) / bytes_per_token


def measured(model: nn.Module, parts: Parts, teacher: Trained | None, seconds: float) -> Trained:
    """A model with its numbers on both texts."""
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
