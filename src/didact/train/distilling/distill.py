"""``distill``: teacher(s) to student over several seeds, with a record and evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from torch import nn

from didact.nn import inner_model
from didact.train.distilling.components import (
    LossEntry,
    UserInputs,
    build_components,
    settled,
    try_components,
)
from didact.train.distilling.hooks import Hooks, OnEpoch, OnStep
from didact.train.distilling.losses import LossLike
from didact.train.distilling.result import DistillResult
from didact.train.distilling.seed_run import Components, run_seed
from didact.train.distilling.settings import AUTO, DistillSettings
from didact.train.distilling.summary import finish
from didact.train.loop.data import DataLike, DataReader
from didact.train.loop.fabric import Fabric
from didact.train.loop.fit import RunContext
from didact.train.loop.launch import Work, launch, refuse_place
from didact.train.loop.loggers import Logger, refuse_what_is_no_logger
from didact.train.loop.models import ModelLike, checked, name_of
from didact.train.loop.resume import go_on, start_run
from didact.train.record.files import read_tensors
from didact.train.record.interrupt import Stopper
from didact.train.record.lock import locked
from didact.train.record.log import Log, say
from didact.train.record.run_folder import STUDENT, RunFolder, default_path

Losses = LossLike | Sequence[LossEntry]
Teachers = ModelLike | Sequence[ModelLike]
Json = dict[str, Any]
Headline = Callable[[DistillSettings], str]
COMMAND = "didact distill"


def distill(
    *,
    student: ModelLike = "mlp",
    teacher: Teachers = "cnn",
    data: DataLike = "digits",
    loss: Losses | None = None,
    log: str | Logger | Sequence[str | Logger] = (),
    on_step: OnStep | None = None,
    on_epoch: OnEpoch | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    console: Console | None = None,
    headline: str | Headline = "",
    **settings: Any,
) -> DistillResult:
    """Train the teacher(s), the student alone and the student distilled; compare them.

    The loss is ``(1 - lambda) * CE + lambda * sum_i w_i * loss_i`` with ``lambda = kd_weight``.

    Args:
        student: A model name, ``"pkg.mod:Name"``, a module (copied for each seed), or a function
            that builds one.
        teacher: The same, or a run folder, ``"NAME=FILE"`` with weights of any program, a
            TorchScript or ONNX file, a trained module, a function from images to logits, or a
            dictionary with ``model`` and perhaps ``normalise`` and ``input_size``; a list for
            several teachers. One that comes trained gets the normalisation that
            ``teacher_normalise`` says, or its file; else the one of several with which it does
            best on the validation split.
        data: A source name (see ``didact list data``), a :class:`didact.data.Data`, or datasets of
            (image, label): ``(train, test)`` or ``(train, validation, test)``. A label is a class
            number, a probability for each class, 0 or 1 for each of several labels, or numbers.
        loss: A loss name, a function of ``(student_logits, teacher_logits)``, or a list of these
            or of pairs ``(loss, weight)``. By default that of the task: ``kd``, for several labels
            ``binary_kd``, for numbers ``mse_logits``.
        log: ``"csv"``, ``"tensorboard"``, ``"wandb"``, ``"mlflow"``, ``"file.py:MyLogger"``, an
            object with ``log_metrics(metrics, step)`` such as a logger of Lightning's, or several.
        on_step: Called after each optimiser step with a :class:`didact.train.Step`.
        on_epoch: Called after each epoch with the dictionary that ``metrics.jsonl`` has of it. What
            it raises ends the run.
        output: The run folder to make; by default one in ``runs/``.
        overwrite: Replace a run folder that exists.
        console: Where progress is shown; nowhere by default.
        headline: Shown first, once nothing has been refused; or what makes it of the settings.
        settings: Any field of :class:`didact.train.DistillSettings`.

    Returns:
        The result: its ``summary`` is what ``result.json`` holds.

    Raises:
        DidactError: A setting, name, model or data set that cannot be used; nothing is overwritten.
    """
    reader = DataReader(data)
    loggers = cast("list[str | Logger]", log if _is_several(log) else [log])
    hooks = Hooks(on_step, on_epoch, [one for one in loggers if not isinstance(one, str)])
    for logger in hooks.loggers:
        refuse_what_is_no_logger(logger, name_of(logger))
    teachers = cast("list[ModelLike]", teacher if _is_several(teacher) else [teacher])
    wanted = AUTO if loss is None else loss
    losses = cast("list[LossEntry]", wanted if _is_several(wanted) else [wanted])
    chosen = DistillSettings.build(
        student=name_of(student),
        teacher=tuple(name_of(one) for one in teachers),
        data=reader.name,
        loss=tuple(name_of(one) for one in losses),
        log=tuple(one for one in loggers if isinstance(one, str)),
        **settings,
    )
    chosen, given = settled(chosen, UserInputs(student, teachers, losses, reader, hooks))
    chosen, notes = try_components(build_components(chosen, given), chosen)
    refuse_place(chosen)
    path = Path(output) if output is not None else default_path("distill")
    with locked(path):
        folder = start_run(path, chosen, overwrite=overwrite)
        say(console, headline if isinstance(headline, str) else headline(chosen), *notes)
        return _launch(folder, chosen, given, console)


def distill_from(
    settings: DistillSettings,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    console: Console | None = None,
    headline: str | Headline = "",
) -> DistillResult:
    """The same from settings alone, in which every part has a name."""
    values = dict(settings)
    names = {name: values.pop(name) for name in ("student", "teacher", "data", "loss", "log")}
    return distill(
        **names | {"loss": list(names["loss"]), "log": list(names["log"])},
        output=output,
        overwrite=overwrite,
        console=console,
        headline=headline,
        **values,
    )


def resume(
    folder: str | Path, *, console: Console | None = None, trust: bool = False
) -> DistillResult:
    """Go on with a run that was killed or stopped; its ``run.toml`` says everything.

    Args:
        folder: The run folder.
        console: Where progress is shown; nowhere by default.
        trust: Whether code that the run names may be imported although this user did not start it.

    Raises:
        RunFolderError: The folder is not a run folder, or the run is complete, or another process
            is at work in it, or its ``run.toml`` was changed.
        CheckpointError: A checkpoint is damaged.
        TrustError: The run names code, and ``trust`` is false where it matters.
    """
    run = RunFolder.open(Path(folder))
    with locked(run.path):
        chosen = go_on(run, DistillSettings, console, trust=trust)
        return _launch(run, chosen, UserInputs.named(chosen), console)


def _is_several(part: object) -> bool:
    return isinstance(part, list | tuple)


def _launch(
    folder: RunFolder, chosen: DistillSettings, given: UserInputs, console: Console | None
) -> DistillResult:
    """Run in this process, or in ``devices`` new ones."""
    work = partial(_run, folder=folder, chosen=chosen, given=given, began=time.monotonic())
    if chosen.devices == 1:
        return launch(work, chosen, console, command=COMMAND, folder=folder.path)
    summary = launch(
        partial(_summary_of, work=work), chosen, console, command=COMMAND, folder=folder.path
    )
    return DistillResult(folder.path, summary, _saved_student(folder, chosen, given, summary))


def _summary_of(fabric: Fabric, console: Console | None, work: Work[DistillResult]) -> Json:
    """What another process sends back: the student is on the disk."""
    return work(fabric, console).summary


def _saved_student(
    folder: RunFolder, chosen: DistillSettings, given: UserInputs, summary: Json
) -> nn.Module:
    """The student that other processes have trained and written."""
    components = build_components(chosen, given)
    taught = summary["student_arm"] != "teacher"
    source = components.student if taught else components.teachers[0]
    data = components.load_data(summary["student_seed"])
    model = checked(source, data, role="student" if taught else "teacher")
    state, _ = read_tensors(folder.path / STUDENT)
    inner_model(model).load_state_dict(state)
    return model.eval()


def _run(
    fabric: Fabric,
    console: Console | None,
    folder: RunFolder,
    chosen: DistillSettings,
    given: UserInputs,
    began: float,
) -> DistillResult:
    components = build_components(chosen, given)
    with Log(console, total=_total_epochs(chosen, components)) as log, Stopper() as stopper:
        context = RunContext(COMMAND, fabric, chosen, folder, log, stopper)
        runs = [run_seed(seed, components, context) for seed in chosen.seeds]
        log.say("measuring and exporting")
    return finish(runs, components, context, console, began)


def _total_epochs(chosen: DistillSettings, components: Components) -> int:
    teachers = sum(not source.trained for source in components.teachers)
    students = len({"alone", "distilled"} & set(chosen.arms))
    epochs = teachers * (chosen.teacher_epochs or chosen.epochs) + students * chosen.epochs
    return epochs * len(chosen.seeds)
