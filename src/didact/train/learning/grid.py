"""Methods x seeds: one after another, or several at a time in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from didact._core.errors import DidactError, ModelError, RunFolderError
from didact.data import Data
from didact.methods import MethodEntry, build_options, find_method
from didact.train.learning.build import LearnParts, method_of, named_network, network_of, stream_of
from didact.train.learning.cell import run_cell
from didact.train.learning.record import finished
from didact.train.learning.settings import LearnSettings
from didact.train.loop.data import data_of
from didact.train.loop.fabric import Fabric, OneDevice, make_fabric
from didact.train.loop.models import ModelLike
from didact.train.record.interrupt import Stopper
from didact.train.record.log import Log

Json = dict[str, Any]


@dataclass(frozen=True)
class Given:
    """What the user gave, names or objects; it can be sent to another process if they can."""

    data: str | Data
    model: ModelLike


@dataclass(frozen=True)
class Place:
    """One cell of the grid."""

    name: str
    seed: int


def build_learn_parts(settings: LearnSettings, given: Given) -> LearnParts:
    """Find what the settings name.

    Raises:
        DidactError: A name that cannot be used.
    """
    entries: dict[str, MethodEntry] = {name: find_method(name) for name in settings.method}
    for name, entry in entries.items():
        build_options(entry, settings.options_of(name))
    # Methods take turns on one seed's stream, which is therefore kept until the next seed's turn.
    stream = lru_cache(maxsize=1)(
        lambda seed: stream_of(settings, data_of(settings, given.data, seed), seed)
    )
    return LearnParts(stream, entries, find_network(given.model))


def find_network(model: ModelLike) -> Any:
    """From a name, a class or a function to ``(data, classes) -> network``.

    Raises:
        ModelError: A module, which has a fixed number of classes and cannot be built anew.
    """
    if isinstance(model, str):
        return named_network(model)
    if isinstance(model, torch.nn.Module) or not callable(model):
        raise ModelError(
            f"the model is {type(model).__name__}; expected a name, or a function "
            "(data, classes) that builds a network, since it must be built for any number"
        )
    return model


def try_parts(settings: LearnSettings, parts: LearnParts) -> LearnParts:
    """Find out what cannot work before a folder is made and time is spent.

    Raises:
        DidactError: Data that cannot be read or cut so, a model that cannot grow or that a method
            cannot use, a memory that is smaller than the number of classes or that a method cannot
            use.
    """
    seed, here = settings.seeds[0], OneDevice()
    stream = parts.stream(seed)
    network_of(parts, stream.data, 2)
    for name in parts.methods:
        method = method_of(name, seed, settings, parts, stream, here)
        if method.memory.enabled and not method.memory.streams:
            method.memory.share(stream.num_classes)
        method.task = stream.task(0)
        method.grow(method.task)
    return parts


def run_grid(
    settings: LearnSettings,
    given: Given,
    parts: LearnParts,
    run: Path,
    fabric: Fabric,
    log: Log,
    stopper: Stopper,
) -> dict[str, list[Json]]:
    """Every cell's result, by method, in the order of the seeds."""
    places = [Place(name, seed) for seed in settings.seeds for name in settings.method]
    if settings.jobs > 1:
        found = _several_at_a_time(settings, given, run, places, log)
    else:
        found = {
            place: run_cell(place.name, place.seed, run, settings, parts, fabric, log, stopper)
            for place in places
        }
    return {name: [found[Place(name, seed)] for seed in settings.seeds] for name in settings.method}


def _several_at_a_time(
    settings: LearnSettings, given: Given, run: Path, places: Sequence[Place], log: Log
) -> dict[Place, Json]:
    found: dict[Place, Json] = {}
    for place in places:
        done = finished(run, place.name, place.seed, settings)
        if done is not None:
            found[place] = done
            log.skip(len(done["seconds"]))
    left = [place for place in places if place not in found]
    context = multiprocessing.get_context(_start_method())
    with ProcessPoolExecutor(
        settings.jobs, mp_context=context, initializer=_die_with_parent
    ) as pool:
        futures = {pool.submit(_one, place, settings, given, run): place for place in left}
        stopped: DidactError | None = None
        for future in as_completed(futures):
            place = futures[future]
            try:
                outcome = future.result()
            except BrokenProcessPool as error:
                raise RunFolderError(
                    f"a process of the run ended unexpectedly ({place.name}, seed {place.seed}); "
                    "was it out of memory? Go on with --resume, or with fewer --jobs"
                ) from error
            if isinstance(outcome, DidactError):
                stopped = stopped or outcome
                pool.shutdown(wait=False, cancel_futures=True)
                continue
            found[place] = outcome
            log.skip(len(outcome["seconds"]))
            log.say(f"{place.name} seed {place.seed}: done")
    if stopped is not None:
        raise stopped
    return found


def _one(place: Place, settings: LearnSettings, given: Given, run: Path) -> Json | DidactError:
    """A cell in a process of its own; an error is returned, because a raised one loses its type."""
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    try:
        parts = build_learn_parts(settings, given)
        fabric = make_fabric(
            accelerator=settings.accelerator, devices=1, precision=settings.precision
        )
        log = Log(None, total=0)
        with Stopper() as stopper:
            return run_cell(place.name, place.seed, run, settings, parts, fabric, log, stopper)
    except DidactError as error:
        return error


def _start_method() -> str:
    """A server that has torch imported forks quickly and has no CUDA context to break."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return "spawn"
    multiprocessing.set_forkserver_preload(["didact.train"])
    return "forkserver"


def _die_with_parent() -> None:
    """A killed run leaves no process behind that goes on writing into its folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: Any) -> None:
    parent.join()
    os._exit(1)
