"""Runs of ``didact distill`` that have settings of their own: on texts and on sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from didact._core.errors import UnknownNameError, UsageError
from didact._core.lookup import suggest
from didact.cli import _shared as options
from didact.cli._console import console
from didact.cli._encoder_run import ENCODER
from didact.cli._run import Command, Json
from didact.cli._text_run import TEXT
from didact.train import (
    DistillResult,
    DistillSettings,
    read_toml,
    resume_encoder,
    resume_text,
)

OF_DATA = ("digits", "mnist", "fashion-mnist", "cifar10", "cifar100")


@dataclass(frozen=True)
class Kind:
    """Runs of one kind.

    Attributes:
        samples: What they are of.
        command: Runs them.
        resume: Goes on with one.
    """

    samples: str
    command: Command[Any]
    resume: Callable[..., DistillResult]

    @property
    def names(self) -> set[str]:
        """Of its settings."""
        return set(self.command.settings.model_fields)


KINDS = {
    "text": Kind("texts", TEXT, resume_text),
    "encoder": Kind("sentences", ENCODER, resume_encoder),
}
OTHERS = set(DistillSettings.model_fields)


def wanted(given: Json) -> Kind | None:
    """Of which kind the options, or the run that they name, are; None for images and tables.

    The name of a data set's recipe becomes ``data``.

    Raises:
        UnknownNameError: There is no such recipe.
        UsageError: An option of one kind with another recipe.
    """
    recipe = given.pop("recipe", None)
    if recipe is not None and recipe not in (*KINDS, *OF_DATA):
        raise UnknownNameError(
            f"there is no recipe {recipe!r}; {suggest(recipe, (*KINDS, *OF_DATA))}"
        )
    said = [recipe, *(_recipe_of(given.get(name)) for name in ("config", "resume"))]
    if kind := next((KINDS[name] for name in said if name in KINDS), None):
        return kind
    for name in sorted(given):
        if of := [kind for kind in KINDS if name in KINDS[kind].names - OTHERS]:
            raise UsageError(
                f"--{name.replace('_', '-')} is of {KINDS[of[0]].samples}; add --recipe {of[0]}"
            )
    if recipe is not None:
        if given.get("data", recipe) != recipe:
            raise UsageError(f"--recipe {recipe} is for that data; leave out --recipe or --data")
        given["data"] = recipe
    return None


def _recipe_of(path: Path | None) -> str | None:
    if path is None:
        return None
    place = path / "run.toml" if path.is_dir() else path
    return str(read_toml(place).get("recipe")) if place.is_file() else None


def run(kind: Kind, given: Json) -> None:
    """Run, or go on with a run."""
    if (folder := given.pop("resume", None)) is not None:
        trust = given.pop("trust", False)
        if given:
            named = ", ".join("--" + name.replace("_", "-") for name in sorted(given))
            raise UsageError(f"--resume takes its settings from run.toml; leave out {named}")
        kind.command.show(kind.resume(folder, console=console(stderr=True), trust=trust))
        return
    own = {name: given.pop(name, None) for name in ("config", "output")}
    flags = {name: bool(given.pop(name, False)) for name in ("overwrite", "trust")}
    values = _settings(given)
    if unknown := sorted(set(values) - kind.names):
        name = {"loss_options": "loss_option"}.get(unknown[0], unknown[0])
        raise UsageError(f"--{name.replace('_', '-')} is not of {kind.samples}; leave it out")
    kind.command.run(values, own["config"], own["output"], **flags)


def _settings(given: Json) -> Json:
    values = dict(given)
    for name in ("temperature", "kd_weight"):
        if name in values:
            (values[name],) = options.numbers(values[name], name.replace("_", "-"), float)
    if "loss" in values:
        values["loss"] = tuple(values["loss"])
    if "loss_option" in values:
        values["loss_options"] = dict(
            options.setting(text, "loss-option", "LOSS.OPTION=VALUE, as dkd.beta=8")
            for text in values.pop("loss_option")
        )
    if "milestones" in values:
        values["milestones"] = tuple(options.numbers(values["milestones"], "milestones", float))
    if "arms" in values:
        values["arms"] = tuple(part.strip() for part in values["arms"].split(","))
    if "seeds" in values:
        values["seeds"] = options.seeds(values["seeds"])
    return values
