"""``learn``: new classes without forgetting, methods x seeds, with a record."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from didact._core.errors import RunFolderError, UsageError
from didact.data import Data
from didact.methods import Method
from didact.train.learning.continuing import history_with, settings_to_continue
from didact.train.learning.grid import UserInputs, build_components, try_components
from didact.train.learning.launch import launch_grid
from didact.train.learning.load import load_learner
from didact.train.learning.notes import ignored, random_start_notes, single_class_notes
from didact.train.learning.settings import LearnSettings
from didact.train.learning.starting import start_of
from didact.train.loop.launch import refuse_place
from didact.train.loop.models import ModelLike, name_of
from didact.train.loop.resume import is_complete, settings_of_run, start_run
from didact.train.record.files import remove, write_json
from didact.train.record.lock import locked
from didact.train.record.log import say
from didact.train.record.run_folder import HISTORY, RESULT, RunFolder, default_path
from didact.train.record.trust import ask_for_trust, sign

Json = dict[str, Any]
MAY_CHANGE = frozenset(("method", "method_options", "seeds", "jobs", "devices", "threads"))


@dataclass(frozen=True, slots=True)
class LearnResult:
    """What ``learn`` returns.

    Attributes:
        folder: The run folder.
        summary: The content of ``result.json``.
        given: The data and the model, as they were given.
    """

    folder: Path
    summary: Json
    given: UserInputs

    def learner(self, method: str, seed: int | None = None) -> Method:
        """A trained method, ready for ``predict``: scores of normalised images.

        Raises:
            RunFolderError: The run has no such method and seed.
        """
        return load_learner(self.folder, method, seed, model=self.given.model)


def learn(
    *,
    method: str | Sequence[str] = ("finetune", "lwf", "icarl", "joint"),
    data: str | Data = "digits",
    model: ModelLike = "mlp",
    output: str | Path | None = None,
    overwrite: bool = False,
    console: Console | None = None,
    headline: str = "",
    written: Collection[str] = (),
    **settings: Any,
) -> LearnResult:
    """Learn the classes of a data set task by task, with each method and each seed.

    Args:
        method: Names (see ``didact list methods``), or ``"pkg.mod:Name"`` / ``"file.py:Name"``.
        data: A source name, or a :class:`didact.data.Data`.
        model: A model name, or a function ``(data, classes)`` that builds a network with
            ``features`` and a linear ``classifier``.
        output: The run folder to make; by default one in ``runs/``.
        overwrite: Replace a run folder that exists.
        console: Where progress is shown; nowhere by default.
        headline: Shown first, once nothing has been refused.
        written: Names of settings that the user wrote, as opposed to those of a recipe: the
            console is told which of them have no effect.
        settings: Any field of :class:`didact.train.LearnSettings`.

    Returns:
        The result: its ``summary`` is what ``result.json`` holds.

    Raises:
        DidactError: A setting, name, model or data set that cannot be used; nothing is overwritten.
    """
    names = (method,) if isinstance(method, str) else tuple(method)
    chosen = LearnSettings.build(
        method=names,
        data=data if isinstance(data, str) else data.name,
        model=name_of(model),
        **settings,
    )
    given = UserInputs(data, model)
    return _start(chosen, given, output, overwrite, console, headline, written)


def _start(
    chosen: LearnSettings,
    given: UserInputs,
    output: str | Path | None,
    overwrite: bool,
    console: Console | None,
    headline: str,
    written: Collection[str],
) -> LearnResult:
    """Try everything, make the folder, run."""
    components, doubts = try_components(chosen, build_components(chosen, given))
    refuse_place(chosen)
    path = Path(output) if output is not None else default_path("learn")
    start = start_of(chosen)
    if start is not None and path.resolve() == start.root.resolve():
        raise UsageError(f"{path} is the run that is continued; name another with --output")
    history = [] if start is None else history_with(start.root)
    with locked(path):
        folder = start_run(path, chosen, overwrite=overwrite)
        if start is not None:
            start.copy_to(path, [(n, seed) for seed in chosen.seeds for n in chosen.method])
            write_json(path / HISTORY, history)
        notes = (
            *ignored(chosen, components, written),
            *single_class_notes(chosen, components),
            *random_start_notes(chosen, components),
        )
        say(console, headline, *(f"note: {note}" for note in (*doubts, *notes)))
        return LearnResult(path, launch_grid(folder, chosen, given, components, console), given)


def continue_learning(
    place: str | Path,
    *,
    data: str | Data,
    model: ModelLike | None = None,
    output: str | Path | None = None,
    overwrite: bool = False,
    console: Console | None = None,
    headline: Callable[[LearnSettings], str] = lambda _: "",
    written: Collection[str] = (),
    trust: bool = False,
    **changes: Any,
) -> LearnResult:
    """Add tasks to a finished run: its columns stay, and new classes come behind them.

    Classes are told apart by name. Where the data has images of old classes, these measure what
    was kept, and methods that want them have them; without, a method goes on with its exemplars,
    or with nothing but the model.

    Args:
        place: The folder of a finished run, whose methods and seeds go on, each from all that it
            kept; or a ``model.safetensors``, a network alone, which any method may go on from.
            Another method than those of the run also begins with the network that it hands on.
        data: A source name or a :class:`didact.data.Data`, with classes that are new.
        model: What builds the network, where it was a function without a name to be found by.
        output: The run folder to make; that of the finished run is left as it is.
        overwrite: Replace a run folder that exists.
        console: Where progress is shown; nowhere by default.
        headline: From the settings to what is shown first.
        written: Names of settings that the user wrote.
        trust: Whether code that the run names may be imported although this user did not start it.
        changes: Fields of :class:`LearnSettings` instead of those of the run; those that cut the
            classes into tasks begin anew.

    Raises:
        TrustError: The run names code, and ``trust`` is false where it matters.
        DidactError: What cannot be gone on from, or with such data.
    """
    chosen = settings_to_continue(Path(place).expanduser(), data, changes)
    typed = str([*changes.values(), data if isinstance(data, str) else "", model])
    code = [name for name in chosen.code() if name not in typed]
    folder = Path(place) if Path(place).is_dir() else Path(place).parent
    say(console, ask_for_trust(folder, code, trust=trust))
    given = UserInputs(data, chosen.model if model is None else model)
    return _start(chosen, given, output, overwrite, console, headline(chosen), written)


def learn_from(
    settings: LearnSettings,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    console: Console | None = None,
    headline: str = "",
    written: Collection[str] = (),
) -> LearnResult:
    """The same from settings alone, in which every part has a name."""
    return learn(
        output=output,
        overwrite=overwrite,
        console=console,
        headline=headline,
        written=written,
        **dict(settings),
    )


def resume_learning(
    folder: str | Path, *, console: Console | None = None, trust: bool = False, **changes: Any
) -> LearnResult:
    """Go on with a run that was killed or stopped, or make its grid larger.

    Args:
        folder: The run folder; its ``run.toml`` says everything.
        console: Where progress is shown; nowhere by default.
        trust: Whether code that the run names may be imported although this user did not start it.
        changes: ``method``, ``seeds``, ``jobs``, ``devices`` or ``threads`` instead of the run's.
            Cells that are complete are not run again, and cells that are no longer named stay in
            their folders.

    Raises:
        RunFolderError: The folder is not one of ``didact learn``, or the run is complete and
            nothing changes.
        UsageError: A setting that a run cannot change on its way.
        CheckpointError: A file of the run is damaged.
        TrustError: The run names code, and ``trust`` is false where it matters.
    """
    run = RunFolder.open(Path(folder))
    with locked(run.path):
        return _resume(run, console, trust, changes)


def _resume(
    run: RunFolder, console: Console | None, trust: bool, changes: dict[str, Any]
) -> LearnResult:
    folder = run.path
    said = run.settings()
    if "teacher" in said:
        raise RunFolderError(f"{folder} is a run of didact distill; expected one of didact learn")
    chosen = settings_of_run(run, LearnSettings)
    if fixed := sorted(set(changes) - MAY_CHANGE):
        raise UsageError(
            f"a run that goes on keeps its {', '.join(fixed)}; only "
            f"{', '.join(sorted(MAY_CHANGE))} may change"
        )
    options = chosen.method_options | changes.get("method_options", {})
    wanted = chosen.changed(**changes | {"method_options": options})
    for name in set(chosen.method) & set(wanted.method):
        if chosen.options_of(name) != wanted.options_of(name):
            raise UsageError(
                f"{folder} has {name} with the options {chosen.options_of(name)}; a run with "
                "others needs a folder of its own"
            )
    if run.complete and not set(changes) & {"method", "method_options", "seeds"}:
        raise is_complete(run)
    typed = set(changes.get("method", ()))
    say(console, ask_for_trust(folder, [c for c in wanted.code() if c not in typed], trust=trust))
    given = UserInputs(wanted.data, wanted.model)
    components, doubts = try_components(wanted, build_components(wanted, given, folder))
    if wanted.threads != chosen.threads:
        doubts.append("another number of threads rounds sums differently: bits may differ")
    say(console, *(f"note: {doubt}" for doubt in doubts))
    remove(run.path / RESULT)  # first: it holds the digest of the settings
    run.write_settings(wanted.to_toml(), wanted.model_dump(mode="json"))
    sign(folder, wanted.code())
    return LearnResult(run.path, launch_grid(run, wanted, given, components, console), given)
