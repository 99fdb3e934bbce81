"""A trained method, back from the folder of a finished run."""

from __future__ import annotations

from pathlib import Path

from didact._core.errors import RunFolderError
from didact.data import Data
from didact.methods import Method
from didact.train.learning.build import method_of
from didact.train.learning.grid import UserInputs, build_components
from didact.train.learning.record import MODEL, cell_folder
from didact.train.learning.settings import LearnSettings
from didact.train.learning.state import load_method
from didact.train.loop.fabric import make_fabric
from didact.train.loop.models import ModelLike
from didact.train.loop.resume import settings_of_run
from didact.train.record.checkpoint import refused_if_malformed
from didact.train.record.files import read_tensors
from didact.train.record.run_folder import RunFolder
from didact.train.record.trust import ask_for_trust


def load_learner(
    folder: str | Path,
    method: str,
    seed: int | None = None,
    *,
    data: str | Data | None = None,
    model: ModelLike | None = None,
    trust: bool = False,
) -> Method:
    """A trained method of a finished run, ready for ``predict``.

    Args:
        folder: The run folder.
        method: One of its methods.
        seed: One of its seeds; the first by default.
        data: The data, where it was an object and has no name to be found by.
        model: Likewise.
        trust: Whether code that the run names may be imported although this user did not start it.

    Raises:
        TrustError: The run names code, and ``trust`` is false where it matters.
        RunFolderError: The run has no such method and seed.
    """
    run = RunFolder.open(Path(folder))
    chosen = settings_of_run(run, LearnSettings)
    given = {name for name in (method, data, model) if isinstance(name, str)}
    given |= {chosen.data} if data is not None else set()
    given |= {chosen.model} if model is not None else set()
    one = chosen.changed(method=(method,), method_options={})
    ask_for_trust(run.path, [name for name in one.code() if name not in given], trust=trust)
    number = chosen.seeds[0] if seed is None else seed
    path = cell_folder(run.path, method, number) / MODEL
    if not path.is_file():
        raise RunFolderError(
            f"{folder} has no trained {method} of seed {number}; it has "
            f"{', '.join(chosen.method)} of seeds {', '.join(map(str, chosen.seeds))}"
        )
    options = {f"{method}.{k}": value for k, value in chosen.options_of(method).items()}
    one = chosen.changed(method=(method,), method_options=options)
    components = build_components(one, UserInputs(data or chosen.data, model or chosen.model))
    stream = components.stream(number)
    fabric = make_fabric()
    learner = method_of(method, number, chosen, components, stream, fabric)
    for index in range(len(stream)):
        learner.task = stream.task(index, with_earlier=learner.sees_all_tasks)
        learner.grow(learner.task)
    tensors, _ = read_tensors(path)
    with refused_if_malformed(path):
        load_method(learner, tensors, fabric.device)
    return learner.eval()
