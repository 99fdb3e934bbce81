"""``didact learn``, once its options are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from didact import recipes
from didact._core.errors import UsageError
from didact.cli._console import console
from didact.cli._run import Command
from didact.data import DEFAULT_DOMAINS
from didact.report import learn_table, learn_verdict
from didact.train import LearnSettings, continue_learning, learn_from, resume_learning


def _instead(given: dict[str, Any]) -> dict[str, Any]:
    """What the recipe says and the options say otherwise: the three ways to cut, two budgets."""
    cut: dict[str, Any] = {}
    if "groups" in given or "tasks" in given or "known" in given:
        cut |= {"base": None, "step": None}
    if given.get("scenario") == "domain" and given.get("domains") != "groups":
        cut |= {"base": None, "step": None}
    if "memory_per_class" in given:
        cut["memory"] = None
    return {name: value for name, value in cut.items() if name not in given}


def _headline(settings: LearnSettings) -> str:
    passes = "one pass" if settings.online else f"{settings.epochs} epochs"
    return (
        f"{settings.data}: {_cut(settings)}, {settings.scenario}-incremental; "
        f"{', '.join(settings.method)}; {settings.model}, {len(settings.seeds)} x {passes}"
    )


def _cut(settings: LearnSettings) -> str:
    if settings.continues is not None or settings.known is not None:
        known = len(settings.known or ())
        before = f"{known} known classes" if known else f"what {settings.continues} knows"
        return f"{before}, then new ones"
    if settings.scenario == "domain" and settings.domains != "groups":
        return f"{settings.tasks or DEFAULT_DOMAINS} {settings.domains} domains"
    if settings.groups is not None or settings.tasks is not None:
        return f"{len(settings.groups or ()) or settings.tasks} tasks"
    step = settings.step or settings.base or 2
    return f"{settings.base or step} classes, then {step} at a time"


LEARN = Command(
    settings=LearnSettings,
    recipe=recipes.learn_for_data,
    instead=_instead,
    headline=_headline,
    start=learn_from,
    table=learn_table,
    verdict=learn_verdict,
)


def run_resumed(folder: Path, changes: dict[str, Any], *, trust: bool) -> None:
    """Go on with a run folder."""
    LEARN.show(resume_learning(folder, console=console(stderr=True), trust=trust, **changes))


def run_continued(
    place: Path, changes: dict[str, Any], output: Path | None, *, overwrite: bool, trust: bool
) -> None:
    """Add tasks to a finished run."""
    written = set(changes)
    data = changes.pop("data", None)
    if data is None:
        raise UsageError("--continue needs --data with images of new classes")
    LEARN.show(
        continue_learning(
            place,
            data=data,
            output=output,
            overwrite=overwrite,
            console=console(stderr=True),
            headline=_headline,
            written=written,
            trust=trust,
            **changes,
        )
    )
