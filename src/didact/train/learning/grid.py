"""Methods x seeds: one after another, or several at a time in processes of their own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from didact._core.errors import DidactError, RunFolderError
from didact.data import Data, Stream
from didact.methods import MethodEntry, build_options, find_method
from didact.train.learning.build import LearnComponents, stream_of
from didact.train.learning.learner import normalisation_of
from didact.train.learning.method_run import begin, run_method
from didact.train.learning.networks import find_network
from didact.train.learning.record import finished
from didact.train.learning.settings import LearnSettings
from didact.train.learning.starting import (
    digest_of_start,
    known_of,
    refuse_blind,
    start_of,
)
from didact.train.loop.data import data_of, digest_of
from didact.train.loop.fabric import make_fabric
from didact.train.loop.fit import RunContext
from didact.train.loop.launch import set_threads
from didact.train.loop.loggers import find_loggers
from didact.train.loop.models import ModelLike
from didact.train.loop.processes import die_with_parent, start_method
from didact.train.record.interrupt import Stopper
from didact.train.record.log import Log
from didact.train.record.run_folder import RunFolder

Json = dict[str, Any]


@dataclass(frozen=True)
class UserInputs:
    """What the user gave, names or objects; it can be sent to another process if they can."""

    data: str | Data
    model: ModelLike


@dataclass(frozen=True)
class GridKey:
    """One cell of the grid."""

    name: str
    seed: int


def build_components(
    settings: LearnSettings, given: UserInputs, folder: Path | None = None
) -> LearnComponents:
    """Find what the settings name.

    Args:
        settings: Of the run.
        given: What the user gave.
        folder: The run folder, once it is there.

    Raises:
        DidactError: A name that cannot be used.
    """
    entries: dict[str, MethodEntry] = {name: find_method(name) for name in settings.method}
    for name, entry in entries.items():
        build_options(entry, settings.options_of(name))
    start = start_of(settings, folder)
    source = find_network(
        given.model, with_weights=start is None, new_head=not settings.begins_trained
    )
    normalisation = normalisation_of(settings.normalise, source.header)

    def cut(seed: int) -> Stream:
        data = data_of(settings, given.data, seed)
        known = known_of(settings, start, source, seed)
        return stream_of(settings, data, seed, known, normalisation)

    def data_digest(seed: int) -> str:
        return digest_of(stream(seed).data) + digest_of_start(start, settings, source, seed)

    # Methods take turns on one seed's stream, which is therefore kept until the next seed's turn.
    stream = lru_cache(maxsize=1)(cut)
    return LearnComponents(
        stream,
        lru_cache(maxsize=None)(data_digest),
        entries,
        source,
        None if start is None else start.file,
    )


def try_components(
    settings: LearnSettings, components: LearnComponents
) -> tuple[LearnComponents, list[str]]:
    """Find out what cannot work before a folder is made and time is spent.

    Returns:
        The components, and what is doubtful in words.

    Raises:
        DidactError: Data that cannot be read or cut so, a model that cannot grow or that a method
            cannot use, a memory that is smaller than the number of classes or that a method cannot
            use.
    """
    find_loggers(settings.log)
    seed, here = settings.seeds[0], make_fabric()
    stream, notes = components.stream(seed), []
    for name in components.methods:
        new = partial(begin, name, seed, settings, components, here)
        method = new().method
        if method.memory.enabled and not method.memory.streams:
            method.memory.share(stream.num_classes)
        if settings.begins_trained or stream.past:
            notes += refuse_blind(name, new, stream, from_network=components.before is None)
        if components.before is None:
            method.task = stream.task(0)
            method.grow(method.task)
    return components, notes


def run_grid(
    given: UserInputs, components: LearnComponents, context: RunContext[LearnSettings]
) -> dict[str, list[Json]]:
    """Every cell's result, by method, in the order of the seeds."""
    settings = context.settings
    keys = [GridKey(name, seed) for seed in settings.seeds for name in settings.method]
    if settings.jobs > 1:
        found = _several_at_a_time(given, keys, components, context)
    else:
        found = {key: run_method(key.name, key.seed, components, context) for key in keys}
    return {
        name: [found[GridKey(name, seed)] for seed in settings.seeds] for name in settings.method
    }


def _several_at_a_time(
    given: UserInputs,
    keys: Sequence[GridKey],
    components: LearnComponents,
    context: RunContext[LearnSettings],
) -> dict[GridKey, Json]:
    settings, folder, log = context.settings, context.folder, context.log
    found: dict[GridKey, Json] = {}
    for key in keys:
        digest = components.data_digest(key.seed)
        done = finished(folder.path, key.name, key.seed, settings, digest)
        if done is not None:
            found[key] = done
            log.skip(len(done["seconds"]))
    left = [key for key in keys if key not in found]
    server = multiprocessing.get_context(start_method())
    with ProcessPoolExecutor(settings.jobs, mp_context=server, initializer=die_with_parent) as pool:
        futures = {
            pool.submit(_one, key, settings, given, folder, context.command): key for key in left
        }
        stopped: DidactError | None = None
        for future in as_completed(futures):
            key = futures[future]
            try:
                outcome = future.result()
            except BrokenProcessPool as error:
                raise RunFolderError(
                    f"a process of the run ended unexpectedly ({key.name}, seed {key.seed}); "
                    "was it out of memory? Go on with --resume, or with fewer --jobs"
                ) from error
            if isinstance(outcome, DidactError):
                stopped = stopped or outcome
                pool.shutdown(wait=False, cancel_futures=True)
                continue
            found[key] = outcome
            log.skip(len(outcome["seconds"]))
            log.say(f"{key.name} seed {key.seed}: done")
    if stopped is not None:
        raise stopped
    return found


def _one(
    key: GridKey, settings: LearnSettings, given: UserInputs, folder: RunFolder, command: str
) -> Json | DidactError:
    """A cell in a process of its own; an error is returned, because a raised one loses its type."""
    set_threads(settings)
    try:
        components = build_components(settings, given, folder.path)
        fabric = make_fabric(accelerator=settings.accelerator, precision=settings.precision)
        with Stopper() as stopper:
            context = RunContext(command, fabric, settings, folder, Log(None, total=0), stopper)
            return run_method(key.name, key.seed, components, context)
    except DidactError as error:
        return error
