"""The settings of a run that goes on: those it was started with, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from didact._core.errors import RunFolderError
from didact.train.loop.settings import SharedSettings
from didact.train.record.run_folder import SETTINGS, RunFolder

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
