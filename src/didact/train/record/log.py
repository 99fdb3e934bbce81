"""What a run shows while it works: a progress bar on a terminal, plain lines in a log file."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from didact.train.record.run_folder import Row

SECONDS_BETWEEN_LINES = 5.0


class Log:
    """Shows epochs as they end; silent when ``console`` is None.

    Progress is counted in epochs by ``didact distill``, in tasks by ``didact learn``, whose methods
    have stages of their own lengths.
    """

    def __init__(self, console: Console | None, *, total: int) -> None:
        self.console = console
        self._last_line = time.monotonic()
        self._done = 0
        self._total = total
        self._progress: Progress | None = None
        if console is not None and console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )
            self._task = self._progress.add_task("starting", total=total)

    def __enter__(self) -> Log:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def say(self, text: str) -> None:
        """One line of news."""
        say(self.console, text)

    def epoch(self, row: Row) -> None:
        """An epoch of one arm has ended."""
        self.skip(1)
        text = (
            f"seed {row['seed']} {row['arm']:<9} epoch {row['epoch']}/{row['epochs']}"
            f"  loss {row['train_loss']:.3f}  validation {_validated(row)}"
        )
        self._show(text, at_once=row["epoch"] == row["epochs"])

    def reach(self, share: float, text: str) -> None:
        """So much is done beyond what was finished or skipped: 1.5 is one and a half."""
        self._show(text, beyond=share)

    def skip(self, count: int) -> None:
        """So many are finished, now or by an earlier process."""
        self._done += count
        if self._progress is not None:
            self._progress.update(self._task, completed=self._done)

    def _show(self, text: str, *, beyond: float = 0.0, at_once: bool = False) -> None:
        done = self._done + beyond
        if self._progress is not None:
            in_words = getattr(self.console, "translated", str)  # a bar is not printed as a line
            self._progress.update(self._task, completed=done, description=in_words(text))
        elif at_once or self._line_is_due():
            self._last_line = time.monotonic()
            self.say(f"[{100 * done / max(self._total, 1):3.0f}%] {text}")

    def _line_is_due(self) -> bool:
        return time.monotonic() - self._last_line >= SECONDS_BETWEEN_LINES


def _validated(row: Row) -> str:
    """The first of the row's validation numbers."""
    name = next((name for name in row if name.startswith("validation_")), None)
    if name is None:
        return "\N{EN DASH}"
    value, short = float(row[name]), name.removeprefix("validation_").replace("_", " ")
    return f"{100 * value:.1f}%" if short == "accuracy" else f"{short} {value:.4g}"


def say(console: Console | None, *lines: str) -> None:
    """Each line that is not empty, as it is."""
    if console is not None:
        for line in filter(None, lines):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
