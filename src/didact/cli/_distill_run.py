"""``didact distill``, once its options are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from didact import recipes
from didact.cli._run import Command, Json
from didact.report import evidence_table, verdict
from didact.train import DistillResult, DistillSettings, distill_from, resume


def _headline(settings: DistillSettings) -> str:
    teachers = " + ".join(settings.teacher) if settings.teacher else "no teacher"
    labels = "all labels" if settings.labelled == 1 else f"{100 * settings.labelled:g}% of labels"
    noise = f", {100 * settings.label_noise:g}% label noise" if settings.label_noise else ""
    seeds = "1 seed" if len(settings.seeds) == 1 else f"{len(settings.seeds)} seeds"
    return (
        f"{settings.data}: {teachers} -> {settings.student}, {' + '.join(settings.loss)}, "
        f"{labels}{noise}, {seeds} x {settings.epochs} epochs"
    )


def _start(
    settings: DistillSettings, output: Path | None, *, written: Json, **rest: Any
) -> DistillResult:
    del written  # every option of distill has an effect
    return distill_from(settings, output, **rest)


DISTILL = Command(
    settings=DistillSettings,
    recipe=recipes.for_data,
    instead=lambda _: {},
    headline=_headline,
    start=_start,
    table=evidence_table,
    verdict=verdict,
)


def run_resumed(folder: Path, *, trust: bool) -> None:
    """Go on with a run folder."""
    DISTILL.show(resume(folder, console=Console(stderr=True), trust=trust))
