"""The comparison of methods as a table for the terminal, and in words."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from didact.report.drawing import format as fmt
from didact.report.learning.load import parse_outcome
from didact.train.record.result import LearnInterval, LearnMethod, LearnOutcome

MOST_TASKS_SHOWN = 10
MEASURED_ON = {
    "class": "all classes",
    "task": "all tasks, each told at test time",
    "domain": "all domains",
}


def learn_table(result: dict[str, Any]) -> Group:
    """Accuracy after each task, its average, the last, forgetting and time of each method.

    Args:
        result: The content of ``result.json``.

    Raises:
        RunFolderError: It is not the result of ``didact learn``.
    """
    outcome = parse_outcome(result)
    return Group(
        _after_each_task(outcome), Text(), _numbers(outcome), Text(_legend(outcome), "dim")
    )


def _table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("", no_wrap=True)
    return table


def _after_each_task(outcome: LearnOutcome) -> Table:
    table = _table()
    shown = shown_tasks(next(iter(outcome.methods.values())).tasks)
    for task in shown:
        heading = "..." if task < 0 else f"task {task + 1}" if task == 0 else str(task + 1)
        table.add_column(heading, justify="right", no_wrap=True)
    for name, method in outcome.methods.items():
        points = curve(method)
        cells = [
            fmt.number(100 * points[task], 1) if 0 <= task < len(points) else "" for task in shown
        ]
        table.add_row(name, *cells)
    return table


def _numbers(outcome: LearnOutcome) -> Table:
    table = _table()
    for heading in ("average", "last", "forgot", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, method in outcome.methods.items():
        keys = ("average_incremental", "last", "forgetting")
        cells = [percent(method.intervals.get(key)) for key in keys]
        table.add_row(name, *cells, fmt.number(fmean(method.seconds), 1))
    return table


def shown_tasks(tasks: int) -> list[int]:
    """The tasks that have room, from 0; -1 stands for those left out."""
    if tasks <= MOST_TASKS_SHOWN:
        return list(range(tasks))
    return [*range(MOST_TASKS_SHOWN - 2), -1, tasks - 1]


def curve(method: LearnMethod) -> list[float]:
    """Accuracy over the classes seen so far, after each task, mean over the seeds."""
    return [fmean(values) for values in zip(*method.curves, strict=True)]


def percent(interval: LearnInterval | None) -> str:
    """``88.6 ± 1.2``."""
    if interval is None:
        return fmt.NOTHING
    mean, half = fmt.number(100 * interval.mean, 1), interval.half_width
    return mean if half is None else f"{mean} ± {fmt.number(100 * half, 1)}"


def _legend(outcome: LearnOutcome) -> str:
    several = len(outcome.seeds) > 1
    over = (
        f"mean over {len(outcome.seeds)} seeds ± half of the 95% interval"
        if several
        else ("one seed, so no intervals")
    )
    return (
        f"Accuracy in percent over {MEASURED_ON[outcome.scenario]} seen so far, after each task; "
        "average: over the tasks, the first one included; forgot: best earlier accuracy minus the "
        f"last; {over}."
    )


def learn_verdict(result: dict[str, Any]) -> str:
    """What the run has shown, in a sentence or two.

    Args:
        result: The content of ``result.json``.

    Raises:
        RunFolderError: It is not the result of ``didact learn``.
    """
    return verdict_of(parse_outcome(result))


def verdict_of(outcome: LearnOutcome) -> str:
    """What the run has shown, in a sentence or two."""
    text = _comparison(outcome)
    if outcome.complete:
        return text
    cells = len(outcome.missing)
    unfinished = f"Not finished: {cells} {'cell is' if cells == 1 else 'cells are'} missing."
    return f"{unfinished} {text}".strip()


def _comparison(outcome: LearnOutcome) -> str:
    last = {name: fmean(m.numbers["last"]) for name, m in outcome.methods.items() if m.ended}
    learners = {name: value for name, value in last.items() if name not in ("joint", "finetune")}
    if not learners:
        found = ". ".join(f"{name}: {_points(value)} at the end" for name, value in last.items())
        return f"{found}." if found else ""
    best = max(learners, key=lambda name: learners[name])
    text = f"{best} ends with {_points(learners[best])} over {MEASURED_ON[outcome.scenario]}."
    low, high = last.get("finetune"), last.get("joint")
    if low is not None and high is not None and high > low:
        closed = (learners[best] - low) / (high - low)
        text += (
            f" Plain fine-tuning ends with {_points(low)}, training on everything at once with "
            f"{_points(high)}: {best} closes {100 * closed:.0f}% of the gap."
        )
    return text


def _points(fraction: float) -> str:
    return f"{fmt.number(100 * fraction, 1)}%"
