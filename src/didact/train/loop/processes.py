"""Several pieces of work at a time: in processes here, on a cluster through submitit, or on Ray."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

from didact._core.errors import RunFolderError
from didact._core.optional import require

T = TypeVar("T")
LauncherName = Literal["local", "slurm", "ray"]
POLL_SECONDS = 2.0


def start_method() -> Literal["forkserver", "spawn"]:
    """A server that has torch imported forks quickly and has no CUDA context to break."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return "spawn"
    multiprocessing.set_forkserver_preload(["didact.train", "lightning_fabric"])
    return "forkserver"


def die_with_parent() -> None:
    """A killed run leaves no process behind that goes on writing into its folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: Any) -> None:
    parent.join()
    os._exit(1)


def done_in_turn(
    work: Callable[..., T],
    items: Sequence[tuple[Any, ...]],
    *,
    launcher: LauncherName,
    jobs: int,
    logs: Path,
    options: dict[str, Any],
) -> Iterator[tuple[int, T]]:
    """Do each item, and give its number and what came of it as soon as it is there.

    Args:
        work: A function of a module, called with the parts of an item.
        items: The arguments.
        launcher: ``"local"``: processes of this machine, or this one for a single job.
            ``"slurm"``: jobs of the cluster, through submitit. ``"ray"``: tasks of a Ray cluster.
        jobs: How many at a time; on a cluster its scheduler may do fewer.
        logs: Where submitit keeps what jobs print.
        options: Of submitit's executor, such as ``slurm_partition``, or of ``ray.remote``, such as
            ``num_gpus``.

    Raises:
        MissingDependencyError: The launcher's library is not installed.
        RunFolderError: A process was killed.
    """
    if launcher == "slurm":
        yield from _on_slurm(work, items, jobs, logs, options)
    elif launcher == "ray":
        yield from _on_ray(work, items, jobs, options)
    elif jobs == 1 or len(items) < 2:
        yield from ((number, work(*item)) for number, item in enumerate(items))
    else:
        yield from _here(work, items, jobs)


def _here(
    work: Callable[..., T], items: Sequence[tuple[Any, ...]], jobs: int
) -> Iterator[tuple[int, T]]:
    context = multiprocessing.get_context(start_method())
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=die_with_parent) as pool:
        futures = {pool.submit(work, *item): number for number, item in enumerate(items)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise RunFolderError(
                "a process ended unexpectedly; was it out of memory? Go on with --resume, or with "
                "fewer --jobs"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _on_slurm(
    work: Callable[..., T],
    items: Sequence[tuple[Any, ...]],
    jobs: int,
    logs: Path,
    options: dict[str, Any],
) -> Iterator[tuple[int, T]]:
    submitit = require("submitit", extra="slurm")
    executor = submitit.AutoExecutor(folder=logs, cluster=options.get("cluster"))
    rest = {name: value for name, value in options.items() if name != "cluster"}
    executor.update_parameters(slurm_array_parallelism=jobs, timeout_min=24 * 60)
    executor.update_parameters(**rest)
    with executor.batch():
        submitted = [executor.submit(work, *item) for item in items]
    numbers = {id(job): number for number, job in enumerate(submitted)}
    for job in submitit.helpers.as_completed(submitted, poll_frequency=POLL_SECONDS):
        if (failed := job.exception()) is not None:
            raise RunFolderError(
                f"job {job.job_id} ended unexpectedly ({failed.__class__.__name__}); what it "
                f"printed lies in {logs}. Go on with --resume"
            )
        yield numbers[id(job)], job.result()


def _on_ray(
    work: Callable[..., T], items: Sequence[tuple[Any, ...]], jobs: int, options: dict[str, Any]
) -> Iterator[tuple[int, T]]:
    ray = require("ray", extra="ray")
    if not ray.is_initialized():
        address = options.get("address")
        ray.init(address=address, num_cpus=None if address else jobs, include_dashboard=False,
                 log_to_driver=False, logging_level="ERROR")  # fmt: skip
    remote = ray.remote(**({"num_cpus": 1, "max_retries": 0} | {
        name: value for name, value in options.items() if name != "address"
    }))(_unpacked)  # fmt: skip
    waiting: dict[Any, int] = {}
    left = iter(enumerate(items))
    while True:
        while len(waiting) < jobs and (following := next(left, None)) is not None:
            number, item = following
            waiting[remote.remote(partial(work), item)] = number
        if not waiting:
            return
        (ready,), _ = ray.wait(list(waiting), num_returns=1)
        number = waiting.pop(ready)
        try:
            yield number, ray.get(ready)
        except ray.exceptions.RayError as error:
            raise RunFolderError(
                f"a task of Ray ended unexpectedly ({type(error).__name__}); go on with --resume"
            ) from error


def _unpacked(work: Callable[..., T], item: tuple[Any, ...]) -> T:
    return work(*item)
