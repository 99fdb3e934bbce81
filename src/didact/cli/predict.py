"""``didact predict``: what images show, by a model that a run has trained."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from didact.cli._speech import Lang, speak


class Format(StrEnum):
    """How the answers are printed."""

    text = "text"
    csv = "csv"
    json = "json"


def command(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|MODEL",
            help="A run folder, an ONNX file, or a .safetensors file of didact.",
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGES...",
            help="Image files, and folders of them; of a run on sentences, files with one a line.",
        ),
    ],
    method: Annotated[
        str | None, typer.Option(help="Of learn: another method than the one the run hands on.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of learn: another seed.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many classes are named for each.")] = 1,
    output: Annotated[
        Format, typer.Option("--format", help="How to print the answers.")
    ] = Format.text,
    trust: Annotated[
        bool, typer.Option("--trust", help="Import the code that the run names, made by others.")
    ] = False,
    lang: Lang = None,
) -> None:
    """Say what images show: the names of classes, and how probable they are.

    Images are scaled until they cover the size that the model knows and cut at the centre; the
    normalisation is the model's own. Neither data nor training is needed. A file that cannot be
    read is said, the others are answered, and the command ends with 2.

    For example: didact predict runs/learn-20260301-120000 photos/ --format csv
    """
    speak(lang)
    from didact._core.errors import DidactError
    from didact.cli._predict import show
    from didact.train import (
        image_files,
        is_on_sentences,
        load_encoder,
        load_predictor,
        predict_sentences,
    )

    if is_on_sentences(model):
        encoder = load_encoder(model, trust=trust)
        show(predict_sentences(encoder, images, top=top), "", output.value, what="sentence")
        return
    predictor = load_predictor(model, method=method, seed=seed, trust=trust)
    answers = predictor.predict(image_files(images), top=top, keep_going=True)
    if show(answers, predictor.task, output.value):
        raise typer.Exit(DidactError.exit_code)
