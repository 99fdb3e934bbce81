"""A run in this process, or in several new ones with a device each."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch
from rich.console import Console
from torch.multiprocessing.spawn import ProcessExitedException

from didact._core.errors import DidactError, RunFolderError
from didact.train.loop.fabric import Fabric, make_fabric
from didact.train.loop.processes import die_with_parent
from didact.train.loop.settings import SharedSettings

T = TypeVar("T")
Work = Callable[[Fabric, Console | None], T]


def launch(
    work: Work[T],
    settings: SharedSettings,
    console: Console | None,
    *,
    command: str,
    folder: Path,
    find_unused_parameters: bool = False,
) -> T:
    """What ``work`` returns, in the first process where there are several.

    Args:
        work: Called with the fabric and, in the first process, a console. It and what it returns
            are sent to other processes where ``settings.devices`` is more than one.
        settings: Accelerator, devices, precision and threads.
        console: For one process; several have one of their own.
        command: What the user types to go on.
        folder: The run's.
        find_unused_parameters: As DDP has it.

    Raises:
        UsageError: There are no such devices.
        RunFolderError: A process was killed.
        DidactError: What a process raised.
    """
    fabric = make_fabric(
        accelerator=settings.accelerator,
        devices=settings.devices,
        precision=settings.precision,
        find_unused_parameters=find_unused_parameters,
    )
    set_threads(settings)
    if settings.devices == 1:
        return work(fabric, console)
    try:
        outcome: T | DidactError = fabric.launch(
            partial(_in_process, work=work, settings=settings, environment=dict(os.environ))
        )
    except ProcessExitedException as error:
        raise RunFolderError(
            f"a process of the run ended unexpectedly ({error}); was it out of memory? "
            f"Go on with: {command} --resume {folder}"
        ) from error
    if isinstance(outcome, DidactError):
        raise outcome
    return outcome


def refuse_place(settings: SharedSettings) -> None:
    """Find out whether there are such devices before a folder is made or replaced.

    Raises:
        UsageError: There are none.
    """
    make_fabric(
        accelerator=settings.accelerator, devices=settings.devices, precision=settings.precision
    )


def set_threads(settings: SharedSettings) -> None:
    """As many CPU threads as the settings say, where they say."""
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)


def _in_process(
    fabric: Fabric, work: Work[T], settings: SharedSettings, environment: dict[str, str]
) -> T | DidactError:
    """One of several processes; an error is returned, because a raised one loses its type."""
    os.environ.update(environment)  # the server that forks them may be older
    die_with_parent()
    set_threads(settings)
    try:
        return work(fabric, Console(stderr=True) if fabric.is_global_zero else None)
    except DidactError as error:
        return error
