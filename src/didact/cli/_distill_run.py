"""What ``didact distill`` does once its options are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

# Read once by torch at its first allocation: huge pages make large CPU tensors up to 3x faster.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from rich.console import Console

from didact import recipes
from didact.report import evidence_table, render, verdict
from didact.train import DistillResult, DistillSettings, distill_from, read_toml, resume


def run(
    given: dict[str, Any], config: Path | None, output: Path | None, *, overwrite: bool
) -> None:
    """Run from options over a recipe, or over a ``run.toml``."""
    if config is not None:
        base = DistillSettings.build(**read_toml(config))
    else:
        base = recipes.for_data(given.get("data"))
    settings = base.changed(**given)
    console = Console(stderr=True)
    console.print(_headline(settings), highlight=False, markup=False, soft_wrap=True)
    show(distill_from(settings, output, overwrite=overwrite, console=console))


def run_resumed(folder: Path) -> None:
    """Go on with a run folder."""
    show(resume(folder, console=Console(stderr=True)))


def show(result: DistillResult) -> None:
    """Print the evidence and write the report."""
    console = Console()
    console.print(evidence_table(result.summary))
    console.print(verdict(result.summary), highlight=False, markup=False)
    page = render(result.folder)
    console.print(f"report: {page}", highlight=False, markup=False, soft_wrap=True)


def _headline(settings: DistillSettings) -> str:
    teachers = " + ".join(settings.teacher) if settings.teacher else "no teacher"
    labels = "all labels" if settings.labelled == 1 else f"{100 * settings.labelled:g}% of labels"
    noise = f", {100 * settings.label_noise:g}% label noise" if settings.label_noise else ""
    seeds = "1 seed" if len(settings.seeds) == 1 else f"{len(settings.seeds)} seeds"
    return (
        f"{settings.data}: {teachers} -> {settings.student}, {' + '.join(settings.loss)}, "
        f"{labels}{noise}, {seeds} x {settings.epochs} epochs"
    )
