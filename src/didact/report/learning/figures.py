"""The figures of a class-incremental run: curves over tasks, and matrices as coloured tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from didact.report.drawing import format as fmt
from didact.report.drawing.svg import PLACEHOLDERS, draw
from didact.report.learning.table import curve
from didact.train.record.result import LearnMethod, LearnOutcome

COLOURS = tuple(name for name in PLACEHOLDERS if name.startswith("m") and name != "muted")
DASHES = ("solid", "dashed", "dashdot", "dotted")
MOST_NUMBERED = 12


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell of a coloured table.

    Attributes:
        share: 0 to 1, how dark.
        text: What stands in it; empty where there are too many.
        title: What it means, in words.
    """

    share: float
    text: str
    title: str


Heat = list[list[HeatCell | None]]


def colour_of(number: int) -> str:
    """The page's colour of the ``number``-th method."""
    return COLOURS[number % len(COLOURS)]


def dash_of(number: int) -> str:
    """Its line style, so that colour is not all that tells methods apart."""
    return DASHES[(number + number // len(COLOURS)) % len(DASHES)]


def curves(outcome: LearnOutcome) -> str:
    """Accuracy over the classes seen so far, one line for each method."""

    def paint(axes: Axes) -> None:
        for number, method in enumerate(outcome.methods.values()):
            colour = PLACEHOLDERS[colour_of(number)]
            points = [100 * value for value in curve(method)]
            tasks = range(1, len(points) + 1)
            if len(method.curves) > 1:
                ends = list(zip(*method.curves, strict=True))
                low, high = [[100 * f(v) for v in ends] for f in (min, max)]
                axes.fill_between(tasks, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(tasks, points, color=colour, linestyle=dash_of(number), marker="o")
        axes.set_ylim(0, 102)
        tasks_in_all = max(method.tasks for method in outcome.methods.values())
        margin = max(0.05 * (tasks_in_all - 1), 0.2)
        axes.set_xlim(1 - margin, tasks_in_all + margin)
        axes.set_xlabel("Tasks learned")
        axes.set_ylabel("Accuracy, %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    ends = ", ".join(
        f"{name} {fmt.number(100 * curve(method)[-1], 1)}"
        for name, method in outcome.methods.items()
    )
    alt = f"Accuracy over the classes seen so far, after each task. At the end, in percent: {ends}."
    return draw(paint, name="curves", alt=alt, size=(5.8, 3.6))


def accuracy_heat(method: LearnMethod) -> Heat:
    """The accuracy matrix, mean over the seeds: after each task (rows), on each task (columns)."""
    tasks = method.tasks

    def cell(after: int, on: int) -> HeatCell | None:
        values = [matrix[after][on] for matrix in method.matrices]
        known = [value for value in values if value is not None]
        if not known:
            return None
        mean = fmean(known)
        title = f"after task {after + 1}, on task {on + 1}: {100 * mean:.1f}%"
        return HeatCell(mean, f"{100 * mean:.0f}" if tasks <= MOST_NUMBERED else "", title)

    return [[cell(after, on) for on in range(tasks)] for after in range(tasks)]


def confusion_heat(method: LearnMethod) -> Heat | None:
    """Shares of each task's test images (rows) taken for classes of each task, at the end."""
    last = [seed[-1] for seed in method.confusion]
    counts = [matrix for matrix in last if matrix is not None]
    if not counts:
        return None
    return [
        [_taken_for(counts, row, column) for column in range(method.tasks)]
        for row in range(len(counts[0]))
    ]


def _taken_for(counts: Sequence[Sequence[Sequence[int]]], row: int, column: int) -> HeatCell:
    total = sum(sum(matrix[row]) for matrix in counts)
    share = sum(matrix[row][column] for matrix in counts) / max(total, 1)
    title = f"{100 * share:.1f}% of task {row + 1}'s images are taken for task {column + 1}"
    text = f"{100 * share:.0f}" if len(counts[0]) <= MOST_NUMBERED else ""
    return HeatCell(share, text, title)


def class_heat(outcome: LearnOutcome) -> tuple[list[int], dict[str, list[HeatCell]]]:
    """The labels, and each method's accuracy on each class at the end, mean over the seeds."""
    names, labels = outcome.data.class_names, list[int]()
    found: dict[str, list[HeatCell]] = {}
    for name, method in outcome.methods.items():
        by_label: dict[int, list[float]] = {}
        for seed in method.per_class:
            for entry in seed:
                by_label.setdefault(entry.label, []).append(entry.accuracy)
        if by_label:
            labels = sorted(by_label)
            many = len(labels)
            found[name] = [_of_class(label, by_label[label], many, names) for label in labels]
    return labels, found


def _of_class(label: int, values: list[float], classes: int, names: Sequence[str]) -> HeatCell:
    mean = fmean(values)
    called = names[label] if label < len(names) and names[label] != str(label) else ""
    title = f"class {label}{f' ({called})' if called else ''}: {100 * mean:.1f}%"
    return HeatCell(mean, f"{100 * mean:.0f}" if classes <= MOST_NUMBERED else "", title)
