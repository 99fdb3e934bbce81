"""A trained method, back from the folder of a finished run."""

from __future__ import annotations

from pathlib import Path

from didact._core.errors import RunFolderError
from didact.methods import Method
from didact.train.learning.learner import FILE, Learner
from didact.train.learning.record import cell_folder
from didact.train.learning.settings import LearnSettings
from didact.train.loop.models import ModelLike
from didact.train.loop.resume import settings_of_run
from didact.train.record.files import read_object
from didact.train.record.run_folder import RESULT, RunFolder
from didact.train.record.trust import ask_for_trust


def load_learner(
    folder: str | Path,
    method: str,
    seed: int | None = None,
    *,
    model: ModelLike | None = None,
    trust: bool = False,
) -> Method:
    """A trained method of a run, ready for ``predict``: scores of normalised images.

    Neither the data nor the weights that the run began with are needed: classes, mean and standard
    deviation stand in the file. :meth:`Learner.load` also knows the classes by name.

    Args:
        folder: The run folder.
        method: One of its methods.
        seed: One of its seeds; the first by default.
        model: What builds the network, where it was a function without a name to be found by.
        trust: Whether code that the run names may be imported although this user did not start it.

    Raises:
        TrustError: The run names code, and ``trust`` is false where it matters.
        RunFolderError: The run has no such method and seed.
    """
    return learner_of_run(folder, method, seed, model=model, trust=trust).method


def learner_of_run(
    folder: str | Path,
    method: str | None = None,
    seed: int | None = None,
    *,
    model: ModelLike | None = None,
    trust: bool = False,
) -> Learner:
    """The learner of a run; by default the one that the run hands on.

    The arguments and errors are those of :func:`load_learner`.
    """
    run = RunFolder.open(Path(folder))
    chosen = settings_of_run(run, LearnSettings)
    given = {name for name in (method, model) if isinstance(name, str)}
    given |= {chosen.model} if model is not None else set()
    name, number = _chosen(run, chosen, method, seed)
    one = chosen.changed(method=(name,), method_options={}, data="digits")
    ask_for_trust(run.path, [name for name in one.code() if name not in given], trust=trust)
    path = cell_folder(run.path, name, number) / FILE
    if not path.is_file():
        raise RunFolderError(
            f"{folder} has no trained {name} of seed {number}; it has "
            f"{', '.join(chosen.method)} of seeds {', '.join(map(str, chosen.seeds))}"
        )
    return Learner.load(path, model=model)


def _chosen(
    run: RunFolder, chosen: LearnSettings, method: str | None, seed: int | None
) -> tuple[str, int]:
    handed: dict[str, object] = {}
    if method is None and run.complete:
        handed = read_object(run.path / RESULT).get("handed_on") or {}
    name = method or str(handed.get("method", chosen.method[0]))
    return name, chosen.seeds[0] if seed is None else seed
