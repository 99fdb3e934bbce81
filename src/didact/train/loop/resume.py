"""The settings of a run that goes on: those it was started with, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from rich.console import Console

from didact._core.errors import RunFolderError
from didact.train.loop.settings import SharedSettings
from didact.train.record.files import make_folder
from didact.train.record.log import say
from didact.train.record.run_folder import CHECKPOINT, SETTINGS, RunFolder
from didact.train.record.trust import ask_for_trust

S = TypeVar("S", bound=SharedSettings)


def start_run(path: Path, settings: SharedSettings, *, overwrite: bool) -> RunFolder:
    """A new folder with the settings in it, signed where they name code that the user typed.

    Raises:
        RunFolderError: As :meth:`RunFolder.create`.
    """
    plain = settings.model_dump(mode="json")
    return RunFolder.create(
        path, settings.to_toml(), plain, overwrite=overwrite, code=settings.code()
    )


def go_on(run: RunFolder, kind: type[S], console: Console | None, *, trust: bool) -> S:
    """The settings of a run that is not complete; what it names may be imported.

    Raises:
        RunFolderError: It is complete, or as :func:`settings_of_run`.
        UsageError: A value is wrong.
        CheckpointError: The record of the start is damaged.
        TrustError: The run names code, and ``trust`` is false where it matters.
    """
    if run.complete:
        raise is_complete(run)
    settings = settings_of_run(run, kind)
    say(console, ask_for_trust(run.path, settings.code(), trust=trust))
    make_folder(run.path / CHECKPOINT)  # one that is gone costs its epochs, not the next ones
    return settings


def is_complete(run: RunFolder) -> RunFolderError:
    """What is said of a run that cannot go on because nothing is left to do."""
    return RunFolderError(
        f"{run.path} is complete; there is nothing to resume. "
        f"Look at it with: didact report {run.path}"
    )


def settings_of_run(run: RunFolder, kind: type[S]) -> S:
    """What ``run.toml`` says, if it is whole and says what the run was started with.

    Where and how fast a run goes may change on its way; what decides its numbers may not.

    Raises:
        RunFolderError: A key is missing, or has another value than at the start.
        UsageError: A value is wrong.
        CheckpointError: The record of the start is damaged.
    """
    path, said = run.path / SETTINGS, run.settings()
    if missing := [name for name in kind.required() if name not in said]:
        raise RunFolderError(
            f"{path} does not say {', '.join(missing)}; expected every setting, as didact wrote "
            "it. Put the file back as it was"
        )
    chosen = kind.build(**said)
    begun, now = run.start(), chosen.model_dump(mode="json")
    fixed = [name for name in now if name not in kind.may_change_on_resume]
    known = [begun[key] for key in ("settings", "before") if isinstance(begun.get(key), dict)]
    differ = [[name for name in fixed if then.get(name, now[name]) != now[name]] for then in known]
    if known and all(differ):
        name = differ[0][0]
        raise RunFolderError(
            f"{path} says {name} = {now[name]!r}, and the run was started with "
            f"{known[0][name]!r}; a run that goes on keeps its settings. For a run with others: "
            f"--config {path} --output NEW"
        )
    return chosen
