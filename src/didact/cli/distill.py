"""``didact distill``: teacher(s) to student, with evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Few = list[str] | None


def command(
    data: Annotated[
        str | None,
        typer.Option(
            help="digits (default), mnist, fashion-mnist, cifar10, cifar100, folder:PATH, "
            "npz:PATH, or file.py:factory; see `didact list data`.",
            rich_help_panel="Data",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the files of known sets lie or are downloaded to.")
    ] = None,
    labelled: Annotated[
        float | None, typer.Option(help="Fraction of the training labels that may be used, 0..1.")
    ] = None,
    label_noise: Annotated[
        float | None, typer.Option(help="Fraction of training labels replaced by a wrong one.")
    ] = None,
    validation: Annotated[
        float | None, typer.Option(help="Fraction of the training split held out to choose on.")
    ] = None,
    augment: Annotated[
        str | None, typer.Option(help="none, flip, crop, crop-flip, ...: how images are varied.")
    ] = None,
    student: Annotated[
        str | None, typer.Option(help="A model name (`didact list models`) or file.py:Name.")
    ] = None,
    teacher: Annotated[
        Few,
        typer.Option(
            help="A model name (trained here), a run folder, FILE.safetensors or "
            "NAME=FILE.safetensors. Repeat for several teachers."
        ),
    ] = None,
    teacher_weight: Annotated[
        list[float] | None, typer.Option(help="One for each --teacher, in order; made to sum to 1.")
    ] = None,
    combine: Annotated[
        str | None,
        typer.Option(help="Several teachers: average their probs into one target, or the losses."),
    ] = None,
    loss: Annotated[
        Few,
        typer.Option(
            help="NAME or NAME=WEIGHT (`didact list losses`), or file.py:my_loss. Repeatable."
        ),
    ] = None,
    loss_option: Annotated[
        Few, typer.Option(help="LOSS.OPTION=VALUE, such as dkd.beta=8. Repeatable.")
    ] = None,
    temperature: Annotated[
        str | None, typer.Option(help="T, or FROM:TO to change it over the run.")
    ] = None,
    kd_weight: Annotated[
        str | None,
        typer.Option(help="w in (1-w)*CE + w*KD, 0..1, or FROM:TO to change it over the run."),
    ] = None,
    warmup_epochs: Annotated[
        int | None, typer.Option(help="Epochs over which w grows from 0.")
    ] = None,
    student_layer: Annotated[
        str | None, typer.Option(help="Module path of the student's features, for feature losses.")
    ] = None,
    teacher_layer: Annotated[
        str | None, typer.Option(help="Module path of the teacher's features.")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="sgd or adamw.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", "--lr")] = None,
    teacher_learning_rate: Annotated[float | None, typer.Option()] = None,
    momentum: Annotated[float | None, typer.Option(help="Of sgd.")] = None,
    weight_decay: Annotated[float | None, typer.Option()] = None,
    schedule: Annotated[str | None, typer.Option(help="cosine, step or constant.")] = None,
    milestones: Annotated[
        str | None, typer.Option(help="Fractions of the run, for step: 0.6,0.8")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Of the students.")] = None,
    teacher_epochs: Annotated[int | None, typer.Option(help="Of the teachers.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Samples per optimiser step, on all devices together.")
    ] = None,
    accumulate: Annotated[
        int | None, typer.Option(help="Parts in which a step's samples are computed.")
    ] = None,
    clip_norm: Annotated[float | None, typer.Option(help="Largest gradient norm.")] = None,
    select: Annotated[
        str | None, typer.Option(help="The epoch that counts: last, or best on validation.")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="How many seeds (5), or which ones (0,3,7).")
    ] = None,
    arms: Annotated[
        str | None, typer.Option(help="What to train: teacher,alone,distilled (default: all).")
    ] = None,
    accelerator: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    devices: Annotated[int | None, typer.Option(help="Processes, each with a device.")] = None,
    precision: Annotated[str | None, typer.Option(help="32-true, bf16-mixed or 16-mixed.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads of torch.")] = None,
    compile: Annotated[  # noqa: A002 - the option's name
        bool | None, typer.Option("--compile/--no-compile", help="torch.compile the student.")
    ] = None,
    onnx: Annotated[
        bool | None, typer.Option("--onnx/--no-onnx", help="Export the student (default: yes).")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Processes that read images which do not fit in memory.")
    ] = None,
    checkpoint_seconds: Annotated[
        float | None, typer.Option(help="Seconds between checkpoints; 0 for every step.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Start from a run.toml; other options change it.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="The run folder to make.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run folder if it exists.")
    ] = False,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this run folder; no other options.")
    ] = None,
) -> None:
    """Distil teacher(s) into a student and show whether the teacher helped.

    With no options: digits, few labels, 5 seeds, under a minute; the evidence is printed and
    written to runs/. All results are of the test split, which nothing is chosen on.
    """
    given = {
        name: value
        for name, value in locals().items()
        if value is not None and value is not False and value != []
    }
    from didact._core.errors import UsageError
    from didact.cli._distill_run import run, run_resumed

    if resume is not None:
        if others := sorted(set(given) - {"resume"}):
            options = ", ".join("--" + name.replace("_", "-") for name in others)
            raise UsageError(f"--resume takes its settings from run.toml; leave out {options}")
        run_resumed(resume)
        return
    output = given.pop("output", None)
    given.pop("overwrite", None)
    base = given.pop("config", None)
    for name, value in (("compile", compile), ("onnx", onnx)):
        if value is False:
            given[name] = False
    run(_settings(given), base, output, overwrite=overwrite)


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Options as the fields of ``DistillSettings``."""
    values = dict(given)
    for name in ("loss", "teacher"):
        if name in values:
            values[name] = tuple(values[name])
    if "teacher_weight" in values:
        values["teacher_weights"] = tuple(values.pop("teacher_weight"))
    if "loss_option" in values:
        values["loss_options"] = dict(_pair(text) for text in values.pop("loss_option"))
    if "milestones" in values:
        values["milestones"] = tuple(_numbers(values["milestones"], "milestones", float))
    if "arms" in values:
        values["arms"] = tuple(part.strip() for part in values["arms"].split(","))
    if "seeds" in values:
        numbers = _numbers(values["seeds"], "seeds", int)
        values["seeds"] = tuple(range(numbers[0]) if len(numbers) == 1 else numbers)
    return values


def _numbers(text: str, option: str, kind: type) -> list[Any]:
    from didact._core.errors import UsageError

    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--{option} is {text!r}; expected numbers with commas between") from None


def _pair(text: str) -> tuple[str, Any]:
    from didact._core.errors import UsageError

    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--loss-option is {text!r}; expected LOSS.OPTION=VALUE, as dkd.beta=8")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value
