"""``distill``: teacher(s) to student over several seeds, with a record and evidence."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from rich.console import Console
from torch import nn

from didact._core.errors import DidactError, RunFolderError
from didact.data import Data
from didact.train.distilling.cell import Parts, run_cell
from didact.train.distilling.fit import Surroundings
from didact.train.distilling.losses import LossLike
from didact.train.distilling.parts import Ingredients, LossEntry, build_parts, name_of, try_parts
from didact.train.distilling.result import DistillResult
from didact.train.distilling.settings import DistillSettings
from didact.train.distilling.summary import finish
from didact.train.loop.fabric import Fabric, make_fabric
from didact.train.loop.models import ModelLike
from didact.train.record.checkpoint import Checkpoints
from didact.train.record.files import read_tensors
from didact.train.record.interrupt import Stopper
from didact.train.record.log import Log
from didact.train.record.run_folder import CHECKPOINT, STUDENT, RunFolder, default_path

Losses = LossLike | Sequence[LossEntry]
Teachers = ModelLike | Sequence[ModelLike]
_Outcome = dict[str, Any] | DidactError


def distill(
    *,
    student: ModelLike = "mlp",
    teacher: Teachers = "cnn",
    data: str | Data = "digits",
    loss: Losses = "kd",
    output: str | Path | None = None,
    overwrite: bool = False,
    console: Console | None = None,
    **settings: Any,
) -> DistillResult:
    """Train the teacher(s), the student alone and the student distilled; compare them.

    The loss is ``(1 - lambda) * CE + lambda * sum_i w_i * loss_i`` with ``lambda = kd_weight``.

    Args:
        student: A model name, ``"pkg.mod:Name"``, a module (copied for each seed), or a function
            that builds one.
        teacher: The same, or a run folder, a ``.safetensors`` file, or a trained module; a list for
            several teachers.
        data: A source name (see ``didact list data``), or a :class:`didact.data.Data`.
        loss: A loss name, a function of ``(student_logits, teacher_logits)``, or a list of these
            or of pairs ``(loss, weight)``.
        output: The run folder to make; by default one in ``runs/``.
        overwrite: Replace a run folder that exists.
        console: Where progress is shown; nowhere by default.
        settings: Any field of :class:`didact.train.DistillSettings`.

    Returns:
        The result: its ``summary`` is what ``result.json`` holds.

    Raises:
        DidactError: A setting, name, model or data set that cannot be used; nothing is overwritten.
    """
    teachers = cast("list[ModelLike]", teacher if _is_several(teacher) else [teacher])
    losses = cast("list[LossEntry]", loss if _is_several(loss) else [loss])
    chosen = DistillSettings.build(
        student=name_of(student),
        teacher=tuple(name_of(one) for one in teachers),
        data=data if isinstance(data, str) else data.name,
        loss=tuple(name_of(one) for one in losses),
        **settings,
    )
    given = Ingredients(student, teachers, losses, data)
    try_parts(build_parts(chosen, given), chosen)
    path = Path(output) if output is not None else default_path("distill")
    folder = RunFolder.create(path, chosen.to_toml(), overwrite=overwrite)
    return _launch(folder, chosen, given, console)


def distill_from(
    settings: DistillSettings,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    console: Console | None = None,
) -> DistillResult:
    """The same from settings alone, in which every part has a name."""
    values = dict(settings)
    names = {name: values.pop(name) for name in ("student", "teacher", "data", "loss")}
    return distill(
        **names | {"loss": list(names["loss"])},
        output=output,
        overwrite=overwrite,
        console=console,
        **values,
    )


def resume(folder: str | Path, *, console: Console | None = None) -> DistillResult:
    """Go on with a run that was killed or stopped; its ``run.toml`` says everything.

    Raises:
        RunFolderError: The folder is not a run folder, or the run is complete.
        CheckpointError: A checkpoint is damaged.
    """
    run = RunFolder.open(Path(folder))
    if run.complete:
        raise RunFolderError(
            f"{folder} is complete; there is nothing to resume. "
            f"Look at it with: didact report {folder}"
        )
    chosen = DistillSettings.build(**run.settings())
    return _launch(run, chosen, Ingredients.named(chosen), console)


def _is_several(part: object) -> bool:
    return isinstance(part, list | tuple)


def _launch(
    folder: RunFolder, chosen: DistillSettings, given: Ingredients, console: Console | None
) -> DistillResult:
    """Run in this process, or in ``devices`` new ones."""
    fabric = make_fabric(
        accelerator=chosen.accelerator, devices=chosen.devices, precision=chosen.precision
    )
    began = time.monotonic()
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    if chosen.devices == 1:
        with Stopper() as stopper:
            return _run(fabric, folder, chosen, given, console, stopper, began)
    work = partial(_in_process, folder=folder, chosen=chosen, given=given, began=began)
    outcome: _Outcome = fabric.launch(work)
    if isinstance(outcome, DidactError):
        raise outcome
    return DistillResult(folder.path, outcome, _saved_student(folder, chosen, given, outcome))


def _saved_student(
    folder: RunFolder, chosen: DistillSettings, given: Ingredients, summary: dict[str, Any]
) -> nn.Module:
    """The student that other processes have trained and written."""
    parts = build_parts(chosen, given)
    source = parts.teachers[0] if summary["student_arm"] == "teacher" else parts.student
    model = source.build(parts.load_data(summary["student_seed"]))
    state, _ = read_tensors(folder.path / STUDENT)
    model.load_state_dict(state)
    return model.eval()


def _in_process(
    fabric: Fabric, folder: RunFolder, chosen: DistillSettings, given: Ingredients, began: float
) -> _Outcome:
    """One of several processes; an error is returned, because a raised one loses its type."""
    console = Console(stderr=True) if fabric.is_global_zero else None
    if chosen.threads is not None:
        torch.set_num_threads(chosen.threads)
    try:
        with Stopper() as stopper:
            result = _run(fabric, folder, chosen, given, console, stopper, began)
    except DidactError as error:
        return error
    return result.summary


def _run(
    fabric: Fabric,
    folder: RunFolder,
    chosen: DistillSettings,
    given: Ingredients,
    console: Console | None,
    stopper: Stopper,
    began: float,
) -> DistillResult:
    parts = build_parts(chosen, given)
    checkpoints = Checkpoints(folder.path / CHECKPOINT, chosen.to_toml())
    with Log(console, total=_total_epochs(chosen, parts)) as log:
        around = Surroundings(fabric, chosen, folder, checkpoints, log, stopper)
        cells = [run_cell(seed, parts, around) for seed in chosen.seeds]
        log.say("measuring and exporting")
    return finish(cells, parts, around, console, began)


def _total_epochs(chosen: DistillSettings, parts: Parts) -> int:
    teachers = sum(not source.trained for source in parts.teachers)
    students = len({"alone", "distilled"} & set(chosen.arms))
    epochs = teachers * (chosen.teacher_epochs or chosen.epochs) + students * chosen.epochs
    return epochs * len(chosen.seeds)
