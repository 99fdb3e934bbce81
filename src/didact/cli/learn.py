"""``didact learn``: new classes without forgetting the old ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from didact.cli import _shared as options
from didact.cli._speech import Lang, speak


def command(
    data: options.Data = None,
    data_dir: options.DataDir = None,
    labelled: options.Labelled = None,
    label_noise: options.LabelNoise = None,
    validation: Annotated[
        float | None, typer.Option(help="Fraction of the training split held out (default: 0).")
    ] = None,
    evaluate_on: Annotated[
        str | None, typer.Option(help="test, or validation to choose settings on.")
    ] = None,
    resize: options.Resize = None,
    augment: options.Augment = None,
    scenario: Annotated[
        str | None,
        typer.Option(help="class (default), task (the task is told at test time) or domain."),
    ] = None,
    base: Annotated[int | None, typer.Option(help="Classes of the first task.")] = None,
    step: Annotated[int | None, typer.Option(help="Classes of each later task.")] = None,
    tasks: Annotated[
        int | None, typer.Option(help="The number of tasks, instead of base and step.")
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="The classes of each task instead: cat,dog/owl.")
    ] = None,
    class_order: Annotated[
        str | None,
        typer.Option(help="natural, seed, a seed (1993 as the literature), or owl,cat,dog."),
    ] = None,
    domains: Annotated[
        str | None, typer.Option(help="Of scenario domain: permuted, rotated or groups.")
    ] = None,
    imbalance: Annotated[
        float | None, typer.Option(help="The last class keeps this fraction of its images.")
    ] = None,
    blurry: Annotated[
        float | None, typer.Option(help="This fraction of each class comes in other tasks.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Each image is seen once: one pass over each task.")
    ] = False,
    method: Annotated[
        str | None,
        typer.Option(help="Names with commas between (`didact list methods`), or file.py:Name."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="METHOD.OPTION=VALUE, such as lwf.classes=seen. Repeatable."),
    ] = None,
    memory: Annotated[int | None, typer.Option(help="Exemplars in total.")] = None,
    memory_per_class: Annotated[
        int | None, typer.Option(help="Exemplars of each class, instead of a total.")
    ] = None,
    exemplars: Annotated[
        str | None,
        typer.Option(help="herding, random, reservoir or balanced, instead of the method's own."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="A model name (`didact list models`), file.py:Name, or NAME=WEIGHTS."),
    ] = None,
    known: Annotated[
        str | None,
        typer.Option(
            help="Names of the classes that the weights know, in order: a,b,c or a file of lines."
        ),
    ] = None,
    normalise: Annotated[
        str | None,
        typer.Option(help="data, none, imagenet, or MEAN/STD: what images are normalised by."),
    ] = None,
    optimizer: options.Optimizer = None,
    learning_rate: options.LearningRate = None,
    momentum: options.Momentum = None,
    weight_decay: options.WeightDecay = None,
    schedule: options.Schedule = None,
    milestones: Annotated[
        str | None, typer.Option(help="Fractions of a stage, for step: 0.47,0.71")
    ] = None,
    decay: options.Decay = None,
    epochs: Annotated[int | None, typer.Option(help="Of each task.")] = None,
    first_epochs: Annotated[
        int | None, typer.Option(help="Of the first task; 0 where the weights know it.")
    ] = None,
    batch_size: options.BatchSize = None,
    clip_norm: options.ClipNorm = None,
    seeds: Annotated[
        str | None, typer.Option(help="How many seeds (1), or which ones: 0,3,7 (one alone: 7,).")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Cells of the grid methods x seeds that run at a time.")
    ] = None,
    accelerator: options.Accelerator = None,
    devices: options.Devices = None,
    precision: options.Precision = None,
    channels_last: Annotated[
        bool, typer.Option("--channels-last", help="Faster convolutions in bf16.")
    ] = False,
    threads: options.Threads = None,
    workers: options.Workers = None,
    checkpoint_seconds: options.CheckpointSeconds = None,
    onnx: Annotated[
        bool | None,
        typer.Option("--onnx/--no-onnx", help="Export the best method's network (default: yes)."),
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(
            help="csv, tensorboard, wandb, mlflow or file.py:MyLogger: where the numbers of each "
            "epoch go too. Repeatable."
        ),
    ] = None,
    config: options.Config = None,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    trust: options.Trust = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on with this run folder; --method, --option, --seeds, --jobs, --devices and "
            "--threads may change, and finished cells are not run again."
        ),
    ] = None,
    continue_from: Annotated[
        Path | None,
        typer.Option(
            "--continue",
            help="Add the new classes of --data to this finished run, or model.safetensors.",
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Learn classes task by task with several methods, and compare what they keep.

    With no options: digits, 2 classes at a time, finetune, lwf, icarl and joint, under a minute;
    the comparison is printed and written to runs/.

    For example: didact learn --data cifar100 --method icarl,lwf --base 50 --step 10 --seeds 3
    """
    given = options.typed(locals())
    given.pop("lang", None)
    if onnx is not None:
        given["onnx"] = onnx
    speak(lang)
    from didact.cli._learn_options import settings_from
    from didact.cli._learn_run import LEARN, run_continued, run_resumed

    given.pop("output", None)
    given.pop("overwrite", None)
    given.pop("trust", None)
    given.pop("config", None)
    given.pop("resume", None)
    given.pop("continue_from", None)
    values: dict[str, Any] = settings_from(given)
    if resume is not None:
        run_resumed(resume, values, trust=trust)
        return
    if continue_from is not None:
        run_continued(continue_from, values, output, overwrite=overwrite, trust=trust)
        return
    LEARN.run(values, config, output, overwrite=overwrite, trust=trust)
