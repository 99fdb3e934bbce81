"""What ``didact distill`` and ``didact learn`` do once their options are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

# Read once by torch at its first allocation: huge pages make large CPU tensors up to 3x faster.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from rich.console import RenderableType

from didact.cli._console import console
from didact.cli._speech import spoken
from didact.report import render
from didact.train import DistillSettings, EncoderSettings, LearnSettings, TextSettings, read_toml
from didact.train.record.log import say
from didact.train.record.trust import ask_for_trust

S = TypeVar("S", DistillSettings, LearnSettings, TextSettings, EncoderSettings)
Json = dict[str, Any]


class Result(Protocol):
    """What a run gives back."""

    @property
    def folder(self) -> Path:
        """Where its record lies."""

    @property
    def summary(self) -> Json:
        """What ``result.json`` holds."""


@dataclass(frozen=True)
class Command(Generic[S]):
    """What differs between the two commands.

    Attributes:
        settings: The class of the settings.
        recipe: The settings for a data set, where no ``--config`` is given.
        instead: Settings that typed ones put out of force.
        headline: One line that says what is run.
        start: Runs; called with the settings, the output folder and the keywords ``overwrite``,
            ``console``, ``headline`` and ``written``: what was typed.
        table: The evidence, for the terminal.
        verdict: What it amounts to.
        page: Writes the report, where there is one.
    """

    settings: type[S]
    recipe: Callable[[str | None], S]
    instead: Callable[[Json], Json]
    headline: Callable[[S], str]
    start: Callable[..., Result]
    table: Callable[[Json], RenderableType]
    verdict: Callable[[Json], str]
    page: Callable[..., Path] | None = render

    def run(
        self,
        given: Json,
        config: Path | None,
        output: Path | None,
        *,
        overwrite: bool,
        trust: bool,
    ) -> None:
        """Run from options over a recipe, or over a ``run.toml``."""
        if config is not None:
            base = self.settings.build(**read_toml(config))
        else:
            base = self.recipe(given.get("data"))
        settings = base.changed(**self.instead(given), **given)
        if config is not None:
            typed = _only(settings, set(given)).code()
            read = _only(settings, set(self.settings.model_fields) - set(given)).code()
            names = [name for name in read if name not in typed]
            say(console(stderr=True), ask_for_trust(config.parent, names, trust=trust))
        self.show(
            self.start(
                settings,
                output,
                overwrite=overwrite,
                console=console(stderr=True),
                headline=self.headline(settings),
                written=given,
            )
        )

    def show(self, result: Result) -> None:
        """Print the evidence and write the report."""
        # before anything that a closed pipe could stop
        page = None if self.page is None else self.page(result.folder, language=spoken())
        shown = console()
        shown.print(self.table(result.summary))
        shown.print(self.verdict(result.summary), highlight=False, markup=False)
        if page is not None:
            shown.print(f"report: {page}", highlight=False, markup=False, soft_wrap=True)


def _only(settings: S, names: set[str]) -> S:
    """Some of the settings; the others are as where nothing is said."""
    fields = type(settings).model_fields
    rest = {n: fields[n].get_default(call_default_factory=True) for n in set(fields) - names}
    return settings.model_copy(update=rest)
