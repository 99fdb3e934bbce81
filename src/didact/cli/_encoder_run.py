"""``didact distill --recipe encoder``, once its options are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from didact import recipes
from didact.cli._run import Command, Json
from didact.report import evidence_table, verdict
from didact.train import DistillResult, EncoderSettings, distill_encoder


def _headline(settings: EncoderSettings) -> str:
    seeds = "1 seed" if len(settings.seeds) == 1 else f"{len(settings.seeds)} seeds"
    count = settings.labels_per_class
    labels = f"up to {count} labels of each class" if count else "all labels"
    return (
        f"{settings.data}: {settings.teacher} -> {settings.student}, {labels}, "
        f"{' + '.join(settings.loss)}, {seeds} x {settings.steps} steps"
    )


def _start(
    settings: EncoderSettings, output: Path | None, *, written: Json, headline: str, **rest: Any
) -> DistillResult:
    del written
    return distill_encoder(settings, output, headline=headline, **rest)


ENCODER = Command(
    settings=EncoderSettings,
    recipe=recipes.encoder,
    instead=lambda _: {},
    headline=_headline,
    start=_start,
    table=evidence_table,
    verdict=verdict,
)
