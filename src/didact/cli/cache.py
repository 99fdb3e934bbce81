"""``didact cache``: what a teacher says of a text, kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from didact.cli._speech import Lang, speak

ACTIONS = ("build", "verify", "info", "convert")


def command(
    action: Annotated[str, typer.Argument(help="build, verify, info or convert")],
    places: Annotated[
        list[str],
        typer.Argument(
            help="The folder of the cache; for convert, before it what is converted: "
            "vllm-jsonl:FILE, axolotl:FILE, axolotl-legacy:FILE or distillkit:FOLDER."
        ),
    ],
    teacher: Annotated[
        str | None,
        typer.Option(
            help="Of build, and of verify to run it again: hf:DIR, a folder of transformers, or "
            "file.py:Name, which gives a model from token ids to logits."
        ),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="A tokenizer.json, or its folder; by default that of hf:DIR."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="The text: pydoc, or text:PATH of a file or a folder.")
    ] = None,
    window: Annotated[
        int | None, typer.Option(help="Tokens of a row (512); of verify those of the cache.")
    ] = None,
    k: Annotated[int | None, typer.Option("--k", help="Classes kept of a token (64).")] = None,
    temperature: Annotated[
        list[float] | None, typer.Option(help="At which it can be read (1). Repeatable.")
    ] = None,
    logits: Annotated[
        str | None,
        typer.Option(help="float32, bfloat16, float16, or u8 in 256 steps; the teacher's own."),
    ] = None,
    ids: Annotated[str, typer.Option(help="packed, or int32, which is read faster.")] = "packed",
    classes: Annotated[
        int | None, typer.Option(help="Of convert: how many the teacher knows.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Rows that the teacher is given at a time.")] = 8,
    rows: Annotated[int, typer.Option(help="Of verify: rows that are compared again.")] = 16,
    lang: Lang = None,
) -> None:
    """Keep what a teacher says of a text: its likeliest classes and their normaliser.

    A cache answers for its teacher, tokenizer, data and temperatures, and is refused for others. A
    build that was killed goes on when the same command is given again, to the same bytes.

    For example: didact cache build cache/docs --teacher hf:DIR --data text:docs/ --k 64
    """
    speak(lang)
    from didact._core.errors import UnknownNameError, UsageError
    from didact._core.lookup import suggest
    from didact.cli import _cache as actions

    if action not in ACTIONS:
        raise UnknownNameError(f"a cache cannot {action!r}; {suggest(action, ACTIONS)}")
    wanted = 2 if action == "convert" else 1
    if len(places) != wanted:
        forms = "SOURCE FOLDER" if wanted == 2 else "FOLDER"
        raise UsageError(f"didact cache {action} takes {forms}; got {' '.join(places)}")
    text = actions.Text(teacher, tokenizer, data, window, batch_size)
    if action == "build":
        actions.build(
            Path(places[0]), text, 64 if k is None else k, tuple(temperature or (1.0,)), logits, ids
        )
    elif action == "verify":
        actions.verify(Path(places[0]), text, rows)
    elif action == "info":
        actions.info(Path(places[0]))
    else:
        actions.convert(places[0], Path(places[1]), tokenizer, classes, k, temperature)
