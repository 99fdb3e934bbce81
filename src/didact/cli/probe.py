"""``didact probe``: try the laws of distillation on a loss, or on one training step."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXIT_BROKEN = 1

_LAYOUTS = "The shape, such as classes, sequence, dense, teachers or maps; default: by trial."
_ARG = "NAME=VALUE: a value, tensor([..]), file.py:name, or student, labels, mask, model, batch."
_LANGUAGE = "A loss of tokens: [B, S, C], with labels of -100 or a mask."
_STEP = "file.py:make, which returns (step, student, teacher, batch): check that step instead."
_OLD = "Classes that the teacher knows, where the student has more."


def command(
    loss: Annotated[
        str | None, typer.Argument(metavar="LOSS", help="file.py:my_loss or pkg.mod:Class.")
    ] = None,
    arg: Annotated[list[str] | None, typer.Option(help=_ARG)] = None,
    init: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE for the constructor of a class.")
    ] = None,
    student: Annotated[str | None, typer.Option(help="The parameter of the student.")] = None,
    teacher: Annotated[str | None, typer.Option(help="The parameter of the teacher.")] = None,
    labels: Annotated[str | None, typer.Option(help="The parameter of the labels.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="divergence, match or objective; default: recognised.")
    ] = None,
    layout: Annotated[str | None, typer.Option(help=_LAYOUTS)] = None,
    old_classes: Annotated[int | None, typer.Option(help=_OLD)] = None,
    language_model: Annotated[bool, typer.Option("--language-model", help=_LANGUAGE)] = False,
    ignore: Annotated[list[str] | None, typer.Option(help="Laws to leave out.")] = None,
    step: Annotated[str | None, typer.Option(help=_STEP)] = None,
    processes: Annotated[
        int, typer.Option(help="With --step: 2 tries DDP in two processes, 1 does not.")
    ] = 2,
    form: Annotated[str, typer.Option("--format", help="table, json or junit.")] = "table",
    lang: Annotated[str | None, typer.Option(help="en or zh; default from the locale.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
) -> None:
    """Call a distillation loss on crafted inputs: which laws hold, which break, and why.

    This imports the code that you name, and runs it. Exit code 0: every law of its kind holds;
    1: a law breaks; 2: the loss cannot be bound, or wrong usage.

    For example: didact probe mine.py:my_loss
    """
    from didact.cli._probe import Request, run

    request = Request(
        loss=loss,
        arguments=arg or [],
        init=init or [],
        roles={"student": student, "teacher": teacher, "labels": labels},
        kind=kind,
        layout=layout,
        old_classes=old_classes,
        language_model=language_model,
        ignore=[name for names in ignore or [] for name in names.split(",")],
        step=step,
        processes=processes,
        form=form,
        lang=lang,
        output=output,
    )
    code = run(request)
    if code:
        raise typer.Exit(code)
