"""The processes that share the work of a run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
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
