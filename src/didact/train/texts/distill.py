"""A language model taught by another: teacher, its cache, the student alone and distilled."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from didact.train.distilling import seed_run as streams
from didact.train.distilling.fit import DistillContext
from didact.train.distilling.hooks import Hooks
from didact.train.distilling.result import DistillResult
from didact.train.loop.fabric import Fabric
from didact.train.loop.fit import RunContext
from didact.train.loop.launch import launch, refuse_place
from didact.train.loop.resume import go_on, start_run
from didact.train.loop.schedule import seed_everything
from didact.train.record.checkpoint import Checkpoints, PartOf
from didact.train.record.interrupt import Stopper
from didact.train.record.lock import locked
from didact.train.record.log import Log, say
from didact.train.record.run_folder import CACHE, CHECKPOINT, RunFolder, default_path
from didact.train.texts.arms import (
    METRIC,
    Arms,
    both_terms,
    cache_of,
    forward_from,
    label_terms,
    taught_here,
    train,
)
from didact.train.texts.finish import finish
from didact.train.texts.parts import Parts, build_parts, notes_on
from didact.train.texts.settings import TextSettings

COMMAND = "didact distill"


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
        say(console, headline, *notes_on(parts, settings))
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
            arms.teacher = taught_here(settings, parts, context)
            said = arms.teacher.numbers["validation"][METRIC]
            log.say(f"the teacher: {said:.3f} bits per byte of the validation text")
        if "distilled" in students and arms.teacher is not None:
            cache = cache_of(folder.path / CACHE, arms.teacher.model, settings, parts)
        for seed in settings.seeds:
            for arm in students:
                seed_everything(seed, streams.STUDENT_STREAM)  # both start from the same weights
                model = parts.student.build(parts.pair.student_classes, settings.window)
                objective = label_terms if arm == "alone" else partial(both_terms, settings)
                trained = train(
                    model.to(fabric.device),
                    (arm, seed, settings.steps, settings.learning_rate),
                    parts.data.train,
                    forward_from(cache if arm == "distilled" else None),
                    objective,
                    parts,
                    arms,
                    context,
                )
                arms.students.setdefault(arm, []).append(trained)
    return finish(arms, settings, parts, folder, fabric, began)
