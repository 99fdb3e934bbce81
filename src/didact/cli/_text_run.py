"""``didact distill --recipe text``, once its options are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from didact import recipes
from didact.cli._run import Command, Json
from didact.report import evidence_table, verdict
from didact.train import DistillResult, TextSettings, distill_text


def _headline(settings: TextSettings) -> str:
    seeds = "1 seed" if len(settings.seeds) == 1 else f"{len(settings.seeds)} seeds"
    seen = f"{settings.student_text:,} bytes" if settings.student_text else "all of it"
    return (
        f"{settings.data}: {settings.teacher} -> {settings.student}, which sees {seen}, top_k_kd "
        f"of {settings.k}, {seeds} x {settings.steps} steps"
    )


def _start(
    settings: TextSettings, output: Path | None, *, written: Json, headline: str, **rest: Any
) -> DistillResult:
    del written
    return distill_text(settings, output, headline=headline, **rest)


TEXT = Command(
    settings=TextSettings,
    recipe=recipes.text,
    instead=lambda _: {},
    headline=_headline,
    start=_start,
    table=evidence_table,
    verdict=verdict,
)
