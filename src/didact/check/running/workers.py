"""The processes that share the work of a run."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context


def pool(
    jobs: int, start: Callable[..., None] | None = None, given: tuple[object, ...] = ()
) -> ProcessPoolExecutor:
    """Processes that are forked where that is safe, each started with what is given once."""
    alone = threading.active_count() == 1  # forking beside other threads may deadlock
    method = "fork" if alone and sys.platform == "linux" else "spawn"
    begin = None if start is None else partial(start, *given)
    return ProcessPoolExecutor(jobs, mp_context=get_context(method), initializer=begin)


COLLECTING = (20_000, 20, 10)
"""Syntax trees are many small objects that live: looking for garbage among them takes a quarter of
the time by default, and frees as little when it is done more seldom."""


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Garbage is looked for more seldom in here."""
    before = gc.get_threshold()
    gc.set_threshold(*COLLECTING)
    try:
        yield
    finally:
        gc.set_threshold(*before)
