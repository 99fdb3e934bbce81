"""``didact distill``: teacher(s) to student, with evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from didact.cli import _shared as options
from didact.cli._speech import Lang, speak

Few = list[str] | None


def command(
    recipe: Annotated[
        str | None,
        typer.Option(
            help="text for language models or encoder for sentence encoders, on pydoc or --data "
            "text:PATH; or a data set that has a recipe of its own."
        ),
    ] = None,
    data: options.Data = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="What the labels are: single-label, soft-label (a probability for each class), "
            "multi-label or regression. By default what they look like."
        ),
    ] = None,
    data_dir: options.DataDir = None,
    labelled: options.Labelled = None,
    label_noise: options.LabelNoise = None,
    validation: Annotated[
        float | None, typer.Option(help="Fraction of the training split held out to choose on.")
    ] = None,
    resize: options.Resize = None,
    augment: options.Augment = None,
    mixup: Annotated[
        float | None, typer.Option(help="Alpha with which samples are blended; 0.2 is usual.")
    ] = None,
    cutmix: Annotated[
        float | None, typer.Option(help="Alpha with which a box is cut from another image; 1.")
    ] = None,
    class_weight: Annotated[
        str | None,
        typer.Option(help="Of the loss on labels: balanced, or a number for each class: 1,1,5."),
    ] = None,
    sampling: Annotated[
        str | None,
        typer.Option(help="shuffled, or balanced: each class comes equally often."),
    ] = None,
    student: Annotated[
        str | None,
        typer.Option(
            help="A model name (`didact list models`), file.py:Name, or NAME=FILE.pth for one that "
            "starts from weights."
        ),
    ] = None,
    teacher: Annotated[
        Few,
        typer.Option(
            help="A model name (trained here), a run folder, NAME=FILE.pth (or .pt, .ckpt, "
            ".safetensors), a TorchScript or ONNX file, npz:FILE with its logits, or file.py:Name. "
            "Repeat for several."
        ),
    ] = None,
    teacher_weight: Annotated[
        list[float] | None, typer.Option(help="One for each --teacher, in order; made to sum to 1.")
    ] = None,
    teacher_normalise: Annotated[
        Few,
        typer.Option(
            help="What a teacher from elsewhere was trained to see: none, imagenet, data, or "
            "MEAN/STD such as 0.5/0.5. By default what its file says, or the best on validation."
        ),
    ] = None,
    teacher_input_size: Annotated[
        Few, typer.Option(help="Side, or HEIGHTxWIDTH, to which images are resized for a teacher.")
    ] = None,
    accept_teacher: Annotated[
        bool | None,
        typer.Option("--accept-teacher", help="Go on with a teacher that is worse than it should."),
    ] = None,
    combine: Annotated[
        str | None,
        typer.Option(help="Several teachers: average their probs into one target, or the losses."),
    ] = None,
    loss: Annotated[
        Few,
        typer.Option(
            help="NAME or NAME=WEIGHT (`didact list losses`), or file.py:my_loss. Repeatable. By "
            "default kd, for multi-label binary_kd, for regression mse_logits."
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
        Few,
        typer.Option(
            help="Module path of the student's features, for feature losses. Repeatable: layers go "
            "in pairs with those of the teacher, in order."
        ),
    ] = None,
    teacher_layer: Annotated[
        Few, typer.Option(help="Module path of the teacher's features. Repeatable.")
    ] = None,
    optimizer: options.Optimizer = None,
    learning_rate: options.LearningRate = None,
    teacher_learning_rate: Annotated[float | None, typer.Option()] = None,
    momentum: options.Momentum = None,
    weight_decay: options.WeightDecay = None,
    schedule: options.Schedule = None,
    milestones: Annotated[
        str | None, typer.Option(help="Fractions of the run, for step: 0.6,0.8")
    ] = None,
    decay: options.Decay = None,
    window: Annotated[
        int | None,
        typer.Option(help="Of text: tokens seen at once (128). Of encoder: of a sentence (64)."),
    ] = None,
    vocabulary: Annotated[
        int | None,
        typer.Option(help="Tokens of the tokenizer that is learnt (of text 512, of encoder 4096)."),
    ] = None,
    labels_per_class: Annotated[
        int | None,
        typer.Option(help="Of encoder: labels of each class that are used (10), 0 for all."),
    ] = None,
    student_text: Annotated[
        int | None,
        typer.Option(help="Of text: bytes that the student sees (32000), 0 for all of it."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Of text and encoder: of a student (300), a multiple of --epochs (10; 5)."
        ),
    ] = None,
    teacher_steps: Annotated[
        int | None,
        typer.Option(
            help="Of text and encoder: of a teacher trained here (800; 300), likewise a multiple."
        ),
    ] = None,
    k: Annotated[
        int | None, typer.Option("--k", help="Of text: classes kept of each token (64).")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Of the students.")] = None,
    teacher_epochs: Annotated[int | None, typer.Option(help="Of the teachers.")] = None,
    batch_size: options.BatchSize = None,
    accumulate: Annotated[
        int | None, typer.Option(help="Parts in which a step's samples are computed.")
    ] = None,
    clip_norm: options.ClipNorm = None,
    select: Annotated[
        str | None, typer.Option(help="The epoch that counts: last, or best on validation.")
    ] = None,
    evaluate_on: Annotated[
        str | None,
        typer.Option(help="The split of the evidence: test, or validation to choose settings by."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="How many seeds (5), or which ones (0,3,7).")
    ] = None,
    arms: Annotated[
        str | None, typer.Option(help="What to train: teacher,alone,distilled (default: all).")
    ] = None,
    accelerator: options.Accelerator = None,
    devices: options.Devices = None,
    precision: options.Precision = None,
    threads: options.Threads = None,
    compile: Annotated[  # noqa: A002 - the option's name
        bool | None, typer.Option("--compile/--no-compile", help="torch.compile the student.")
    ] = None,
    onnx: Annotated[
        bool | None, typer.Option("--onnx/--no-onnx", help="Export the student (default: yes).")
    ] = None,
    log: Annotated[
        Few,
        typer.Option(
            help="csv, tensorboard, wandb, mlflow or file.py:MyLogger: where the numbers of each "
            "epoch go too. Repeatable."
        ),
    ] = None,
    workers: options.Workers = None,
    checkpoint_seconds: options.CheckpointSeconds = None,
    grid: Annotated[
        Few,
        typer.Option(
            help="NAME=VALUE,VALUE: a run for each combination, as --grid temperature=1,4 --grid "
            "loss=kd,dist,kd+hint --grid dkd.beta=2,8. Repeatable."
        ),
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Of --grid: runs at a time (1).")] = None,
    launcher: Annotated[
        str | None,
        typer.Option(help="Of --grid: local, slurm (through submitit) or ray."),
    ] = None,
    launcher_option: Annotated[
        Few,
        typer.Option(
            help="NAME=VALUE, for submitit's executor (slurm_partition=gpu) or ray.remote "
            "(num_gpus=1, address=auto). Repeatable."
        ),
    ] = None,
    config: options.Config = None,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    trust: options.Trust = False,
    resume: Annotated[
        Path | None,
        typer.Option(help="Go on with this run folder, or the rest of this grid."),
    ] = None,
    lang: Lang = None,
) -> None:
    """Distil teacher(s) into a student and show whether the teacher helped.

    With no options: digits, few labels, 5 seeds, under a minute; the evidence is printed and
    written to runs/. All results are of the test split, which nothing is chosen on. Tasks: one
    class each (single-label), several labels (multi-label), numbers (regression), probabilities
    (soft-label); of images, or of the rows of a table.

    For example: didact distill --data npz:mine.npz --teacher mlp-256-256 --student mlp-16 --seeds 3

    Defaults are for data of your own; digits, mnist, fashion-mnist, cifar10 and cifar100 have
    recipes of theirs.
    """
    given = options.typed(locals())
    given.pop("lang", None)
    speak(lang)
    from didact._core.errors import UsageError
    from didact.cli import _recipe_runs as of_a_kind
    from didact.cli._distill_run import DISTILL, Grid, run_resumed

    if (kind := of_a_kind.wanted(given)) is not None:
        if onnx is False:
            given["onnx"] = False
        of_a_kind.run(kind, given)
        return
    cells = Grid.read(given)
    if resume is not None:
        if others := sorted(set(given) - {"resume", "trust"}):
            named = ", ".join("--" + name.replace("_", "-") for name in others)
            raise UsageError(f"--resume takes its settings from run.toml; leave out {named}")
        run_resumed(resume, cells, trust=trust)
        return
    output = given.pop("output", None)
    given.pop("overwrite", None)
    given.pop("trust", None)
    base = given.pop("config", None)
    for name, value in (("compile", compile), ("onnx", onnx)):
        if value is False:
            given[name] = False
    command = DISTILL if cells is None else cells.command()
    command.run(_settings(given), base, output, overwrite=overwrite, trust=trust)


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Options as the fields of ``DistillSettings``."""
    values = dict(given)
    for name in (
        "loss",
        "teacher",
        "teacher_normalise",
        "teacher_input_size",
        "log",
        "student_layer",
        "teacher_layer",
    ):
        if name in values:
            values[name] = tuple(values[name])
    if "teacher_weight" in values:
        values["teacher_weights"] = tuple(values.pop("teacher_weight"))
    if "loss_option" in values:
        values["loss_options"] = dict(
            options.setting(text, "loss-option", "LOSS.OPTION=VALUE, as dkd.beta=8")
            for text in values.pop("loss_option")
        )
    if "milestones" in values:
        values["milestones"] = tuple(options.numbers(values["milestones"], "milestones", float))
    if "arms" in values:
        values["arms"] = tuple(part.strip() for part in values["arms"].split(","))
    if values.get("class_weight") not in (None, "balanced"):
        values["class_weight"] = tuple(
            options.numbers(values["class_weight"], "class-weight", float)
        )
    if "seeds" in values:
        values["seeds"] = options.seeds(values["seeds"])
    return values
