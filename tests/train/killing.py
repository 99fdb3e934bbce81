"""Runs in processes of their own that are killed and resumed, and what they leave."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Start = Callable[..., None]
"""Starts the run of a folder, or resumes it: ``start(folder, parts)``."""


class Killer:
    """Starts runs from a server that has everything imported, so that a process starts in no time.

    Args:
        start: What a process does.
        preload: The module of ``start``.
    """

    def __init__(self, start: Start, preload: str) -> None:
        self.start = start
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(
            ["didact.train", "lightning_fabric", "lightning_fabric.strategies.ddp", preload]
        )

    def begin(self, folder: Path, *parts: Any) -> Any:
        """The process, which has just been started."""
        process = self.context.Process(target=self.start, args=(str(folder), *parts))
        process.start()
        return process

    def to_the_end(self, folder: Path, parts: dict[str, Any]) -> float:
        """Run without a kill; how many seconds it took, when the server stands."""
        ready = self.context.Process(target=time.sleep, args=(0,))
        ready.start()
        ready.join()
        began = time.monotonic()
        finish(self.begin(folder, parts))
        return time.monotonic() - began

    def killed(
        self, place: Path, parts: dict[str, Any], *, kills: int, within: tuple[float, float]
    ) -> Iterator[Path]:
        """Folders of finished runs that were killed on their way, ``kills`` times altogether.

        Args:
            place: Where the folders are made.
            parts: Of the run.
            kills: How many.
            within: From when to when after a start, in seconds.
        """
        moment, left, number = random.Random(2026), kills, 0
        while left:
            number += 1
            folder = place / f"killed-{number}"
            while True:
                process = self.begin(folder, parts)
                process.join(moment.uniform(*within))
                if not (left and process.is_alive()):
                    break
                os.kill(process.pid, signal.SIGKILL)
                left -= 1
                process.join()
            finish(process)
            yield folder


def finish(process: Any) -> None:
    """Wait for a process that must end well."""
    process.join(120)
    assert process.exitcode == 0


def rows(folder: Path) -> list[dict[str, Any]]:
    """The metrics of a run, all but the seconds."""
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [
        {key: value for key, value in row.items() if key not in ("seconds", "digest")}
        for row in found
    ]
