"""The figures of a class-incremental run: curves over tasks, and matrices as coloured tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from didact.metrics import wilson_interval
from didact.report.drawing import format as fmt
from didact.report.drawing.svg import PLACEHOLDERS, draw
from didact.report.learning.table import curve
from didact.train.record.result import ClassAccuracy, LearnMethod, LearnOutcome

COLOURS = tuple(name for name in PLACEHOLDERS if name.startswith("m") and name != "muted")
DASHES = ("solid", "dashed", "dashdot", "dotted")
MOST_NUMBERED = 12
MOST_CLASSES_DRAWN = 30


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


def accuracy_heat(method: LearnMethod, test_sizes: Sequence[int] = ()) -> Heat:
    """The accuracy matrix, mean over the seeds: after each task (rows), on each task (columns).

    One seed's accuracies have their interval over the ``test_sizes`` images of each task.
    """
    tasks = method.tasks

    def cell(after: int, on: int) -> HeatCell | None:
        values = [matrix[after][on] for matrix in method.matrices]
        known = [value for value in values if value is not None]
        if not known:
            return None
        mean = fmean(known)
        title = f"after task {after + 1}, on task {on + 1}: {100 * mean:.1f}%"
        if len(method.matrices) == 1 and on < len(test_sizes):
            title += ends_over_images(mean, test_sizes[on])
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


def ends_over_images(share: float, images: int) -> str:
    """`` (91.0 to 94.8)``: Wilson's interval of one accuracy, in percent."""
    found = wilson_interval(round(share * images), images)
    return f" ({100 * (found.low or 0):.1f} to {100 * (found.high or 0):.1f})"


def class_confusion_heat(method: LearnMethod, outcome: LearnOutcome) -> tuple[list[int], Heat]:
    """The labels, and shares of each class's test images (rows) taken for each class, at the end.

    Nothing where there are so many classes that a table of them cannot be read.
    """
    counts = _class_counts(method)
    labels = sorted({label for pair in counts for label in pair})
    if not 1 < len(labels) <= MOST_CLASSES_DRAWN:
        return [], []
    totals = {row: sum(counts[row, column] for column in labels) for row in labels}

    def cell(row: int, column: int) -> HeatCell:
        share = counts[row, column] / max(totals[row], 1)
        names = [_called(label, outcome.data.class_names) for label in (row, column)]
        title = f"{100 * share:.1f}% of class {names[0]}'s images are taken for class {names[1]}"
        return HeatCell(share, f"{100 * share:.0f}" if len(labels) <= MOST_NUMBERED else "", title)

    return labels, [[cell(row, column) for column in labels] for row in labels]


def most_confused(method: LearnMethod, outcome: LearnOutcome, most: int = 10) -> list[list[str]]:
    """Class, class it was taken for, and of how many percent of its test images: the worst."""
    counts = _class_counts(method)
    totals = Counter[int]()
    for (row, _), count in counts.items():
        totals[row] += count
    wrong = [(count / totals[row], row, column) for (row, column), count in counts.items()]
    worst = sorted((one for one in wrong if one[1] != one[2]), key=lambda one: (-one[0], *one[1:]))
    return [
        [*(_called(label, outcome.data.class_names) for label in pair), f"{100 * share:.1f}"]
        for share, *pair in worst[:most]
    ]


def _class_counts(method: LearnMethod) -> Counter[tuple[int, int]]:
    """How many test images of a class were taken for a class, over all seeds."""
    counts = Counter[tuple[int, int]]()
    for seed in method.class_confusion:
        for label, taken_for, count in seed:
            counts[label, taken_for] += count
    return counts


def _called(label: int, names: Sequence[str]) -> str:
    """The label, and its name where it has another."""
    named = label < len(names) and names[label] != str(label)
    return f"{label} ({names[label]})" if named else str(label)


def class_heat(outcome: LearnOutcome) -> tuple[list[int], dict[str, list[HeatCell]]]:
    """The labels, and each method's accuracy on each class at the end, mean over the seeds."""
    names, labels = outcome.data.class_names, list[int]()
    found: dict[str, list[HeatCell]] = {}
    for name, method in outcome.methods.items():
        by_label: dict[int, list[ClassAccuracy]] = {}
        for seed in method.per_class:
            for entry in seed:
                by_label.setdefault(entry.label, []).append(entry)
        if by_label:
            labels = sorted(by_label)
            many = len(labels)
            found[name] = [_of_class(label, by_label[label], many, names) for label in labels]
    return labels, found


def _of_class(
    label: int, values: list[ClassAccuracy], classes: int, names: Sequence[str]
) -> HeatCell:
    mean = fmean(value.accuracy for value in values)
    title = f"class {_called(label, names)}: {100 * mean:.1f}%"
    if len(values) == 1:
        title += ends_over_images(mean, values[0].test)
    return HeatCell(mean, f"{100 * mean:.0f}" if classes <= MOST_NUMBERED else "", title)
