"""The options that ``didact distill`` and ``didact learn`` share, and how their texts are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer


def _sources() -> str:
    """How each data set is written, from the text of its file: importing one imports torch."""
    folder = Path(__file__).parents[1] / "data" / "sources"
    usages = []
    for path in sorted(folder.glob("[!_]*.py")):
        argument = re.search(r'^    argument="(\w+)"', path.read_text("utf-8"), re.MULTILINE)
        name = path.stem.replace("_", "-")
        usages.append(f"{name}:{argument[1]}" if argument else name)
    return ", ".join(usages)


Data = Annotated[
    str | None,
    typer.Option(
        help=f"digits by default; {_sources()}, or file.py:factory; see `didact list data`."
    ),
]
DataDir = Annotated[
    Path | None, typer.Option(help="Where the files of known sets lie or are downloaded to.")
]
Labelled = Annotated[
    float | None, typer.Option(help="Fraction of the training labels that may be used, 0..1.")
]
LabelNoise = Annotated[
    float | None, typer.Option(help="Fraction of training labels replaced by a wrong one.")
]
Resize = Annotated[
    str | None,
    typer.Option(
        help="Side, or HEIGHTxWIDTH: images are scaled to cover it and cut at the centre."
    ),
]
Augment = Annotated[
    str | None,
    typer.Option(
        help="none, flip, crop, crop-flip, crop-flip-brightness: how images are varied; crop2 "
        "moves by up to 2 pixels."
    ),
]
Optimizer = Annotated[str | None, typer.Option(help="sgd or adamw.")]
LearningRate = Annotated[float | None, typer.Option("--learning-rate", "--lr")]
Momentum = Annotated[float | None, typer.Option(help="Of sgd.")]
WeightDecay = Annotated[float | None, typer.Option()]
Schedule = Annotated[str | None, typer.Option(help="cosine, step or constant.")]
Decay = Annotated[
    float | None, typer.Option(help="Of step: the rate is multiplied by it at each milestone.")
]
BatchSize = Annotated[
    int | None, typer.Option(help="Samples per optimiser step, on all devices together.")
]
ClipNorm = Annotated[float | None, typer.Option(help="Largest gradient norm.")]
Accelerator = Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")]
Devices = Annotated[int | None, typer.Option(help="Processes, each with a device.")]
Precision = Annotated[str | None, typer.Option(help="32-true, bf16-mixed or 16-mixed.")]
Threads = Annotated[int | None, typer.Option(help="CPU threads of torch.")]
Workers = Annotated[
    int | None, typer.Option(help="Processes that read images which do not fit in memory.")
]
CheckpointSeconds = Annotated[
    float | None, typer.Option(help="Seconds between checkpoints; 0 for every step.")
]
Config = Annotated[
    Path | None, typer.Option(help="Start from a run.toml; other options change it.")
]
Output = Annotated[Path | None, typer.Option(help="The run folder to make.")]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust", help="Of --resume and --config: import the code that they name, made by others."
    ),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace the run folder if it exists.")
]


MOST_SEEDS = 1000


def typed(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were typed: without those left at None, False or an empty list."""
    return {
        name: value
        for name, value in options.items()
        if value is not None and value is not False and value != []
    }


def numbers(text: str, option: str, kind: type) -> list[Any]:
    """``0,3,7`` as numbers.

    Raises:
        UsageError: Something that is no number.
    """
    from didact._core.errors import UsageError

    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--{option} is {text!r}; expected numbers with commas between") from None


def seeds(text: str) -> tuple[int, ...]:
    """``3`` as the first three seeds, ``0,3,7`` as these, ``7,`` as this one."""
    found = numbers(text.removesuffix(","), "seeds", int)
    if "," not in text and found[0] > MOST_SEEDS:
        from didact._core.errors import UsageError

        raise UsageError(
            f"--seeds is {text!r}, which asks for as many runs; expected {MOST_SEEDS} at most "
            f"(one seed of that number is {text},)"
        )
    return tuple(found if "," in text else range(found[0]))


def setting(text: str, option: str, form: str) -> tuple[str, Any]:
    """``OWNER.OPTION=VALUE`` as a name and a value: a truth, a number or a text.

    Raises:
        UsageError: Not of that form; ``form`` is what was expected.
    """
    from didact._core.errors import UsageError

    name, equals, value = text.partition("=")
    if not equals or "." not in name:
        raise UsageError(f"--{option} is {text!r}; expected {form}")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value
