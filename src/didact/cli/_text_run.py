"""``didact distill --recipe text``, once its options are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from didact import recipes
from didact._core.errors import UnknownNameError, UsageError
from didact._core.lookup import suggest
from didact.cli import _shared as options
from didact.cli._console import console
from didact.cli._run import Command, Json
from didact.report import evidence_table, verdict
from didact.train import DistillResult, TextSettings, distill_text, read_toml, resume_text

OF_TEXT_ALONE = ("window", "vocabulary", "student_text", "steps", "teacher_steps", "k")
WITH_RECIPES = ("text", "digits", "mnist", "fashion-mnist", "cifar10", "cifar100")


def is_wanted(given: Json) -> bool:
    """Whether the options, or the run that they name, are of texts.

    The name of a data set's recipe becomes ``data``.

    Raises:
        UnknownNameError: There is no such recipe.
        UsageError: An option of texts with another recipe.
    """
    recipe = given.pop("recipe", None)
    if recipe is not None and recipe not in WITH_RECIPES:
        raise UnknownNameError(f"there is no recipe {recipe!r}; {suggest(recipe, WITH_RECIPES)}")
    if recipe == "text" or any(_is_of_text(given.get(name)) for name in ("config", "resume")):
        return True
    if taken := [name for name in OF_TEXT_ALONE if name in given]:
        raise UsageError(f"--{taken[0].replace('_', '-')} is of texts; add --recipe text")
    if recipe is not None:
        if given.get("data", recipe) != recipe:
            raise UsageError(f"--recipe {recipe} is for that data; leave out --recipe or --data")
        given["data"] = recipe
    return False


def _is_of_text(path: Path | None) -> bool:
    if path is None:
        return False
    place = path / "run.toml" if path.is_dir() else path
    return place.is_file() and read_toml(place).get("recipe") == "text"


def run(given: Json) -> None:
    """Run, or go on with a run."""
    if (folder := given.pop("resume", None)) is not None:
        trust = given.pop("trust", False)
        if given:
            named = ", ".join("--" + name.replace("_", "-") for name in sorted(given))
            raise UsageError(f"--resume takes its settings from run.toml; leave out {named}")
        TEXT.show(resume_text(folder, console=console(stderr=True), trust=trust))
        return
    own = {name: given.pop(name, None) for name in ("config", "output")}
    flags = {name: bool(given.pop(name, False)) for name in ("overwrite", "trust")}
    if unknown := sorted(set(given) - set(TextSettings.model_fields)):
        raise UsageError(f"--{unknown[0].replace('_', '-')} is not of texts; leave it out")
    TEXT.run(_settings(given), own["config"], own["output"], **flags)


def _settings(given: Json) -> Json:
    values = dict(given)
    for name in ("temperature", "kd_weight"):
        if name in values:
            (values[name],) = options.numbers(values[name], name.replace("_", "-"), float)
    if "milestones" in values:
        values["milestones"] = tuple(options.numbers(values["milestones"], "milestones", float))
    if "arms" in values:
        values["arms"] = tuple(part.strip() for part in values["arms"].split(","))
    if "seeds" in values:
        values["seeds"] = options.seeds(values["seeds"])
    return values


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
