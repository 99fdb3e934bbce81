"""The figures of the report. They hold numbers alone: no text of the user's enters an SVG."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import isfinite
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from didact.metrics import Difference
from didact.report.distilling.evidence import ARM_NAMES, ARMS, Measure
from didact.report.drawing import format as fmt
from didact.report.drawing.svg import PLACEHOLDERS, draw
from didact.train.record.result import Reliability, Row

DASHES = {"teacher": (0, (1, 1.4)), "alone": (0, (5, 2)), "distilled": "solid"}
WIDE = (5.4, 3.5)
SQUARE = (4.3, 4.6)

Curve = dict[int, list[float]]


def learning_curves(rows: Sequence[Row]) -> list[str]:
    """Validation accuracy and training loss over epochs: means, and the range over seeds."""
    panels: tuple[tuple[str, str, Callable[[Row], float | None], float], ...] = (
        ("validation", "Validation accuracy, %", lambda row: row.validation_accuracy, 100),
        (
            "validation",
            "Validation, mean average precision, %",
            lambda row: row.validation_mean_average_precision,
            100,
        ),
        ("validation", "Validation, bits per byte", lambda row: row.validation_bits_per_byte, 1),
        (
            "validation",
            "Validation, nearest sentences shared, %",
            lambda row: row.validation_neighbours_kept,
            100,
        ),
        ("validation", "Validation, mean absolute error", lambda row: row.validation_mae, 1),
        ("loss", "Training loss", lambda row: row.train_loss, 1),
    )
    figures = []
    for name, title, get, scale in panels:
        curves = {arm: _curve(rows, arm, get, scale) for arm in ARMS}
        if any(curves.values()):
            figures.append(_curves_figure(name, title, curves))
    return figures


def _curve(
    rows: Sequence[Row], arm: str, get: Callable[[Row], float | None], scale: float
) -> Curve:
    values: defaultdict[int, list[float]] = defaultdict(list)
    for row in rows:
        value = get(row)
        if row.arm.partition("-")[0] == arm and value is not None and isfinite(value):
            values[row.epoch].append(scale * value)
    return dict(sorted(values.items()))


def _curves_figure(name: str, title: str, curves: dict[str, Curve]) -> str:
    def paint(axes: Axes) -> None:
        for arm, curve in curves.items():
            if not curve:
                continue
            colour, epochs = PLACEHOLDERS[arm], list(curve)
            low, high = [min(v) for v in curve.values()], [max(v) for v in curve.values()]
            axes.fill_between(epochs, low, high, color=colour, alpha=0.16, linewidth=0)
            means = [fmean(v) for v in curve.values()]
            marker = "o" if len(epochs) == 1 else ""
            axes.plot(epochs, means, color=colour, linestyle=DASHES[arm], marker=marker)
        axes.set_title(title)
        axes.set_xlabel("Epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7))
        axes.margins(x=0.02)

    ends = [
        f"{ARM_NAMES[arm].lower()} {fmt.number(fmean(curve[max(curve)]), 2)}"
        for arm, curve in curves.items()
        if curve
    ]
    alt = f"{title} over epochs. At the last epoch: {', '.join(ends)}."
    return draw(paint, name=name, alt=alt, size=WIDE)


def paired_differences(found: Difference, seeds: Sequence[int], measure: Measure) -> str:
    """One dot for each seed, and the mean with its interval below them."""
    shown = list(seeds)[: len(found.differences)]
    scale, digits = measure.scale, measure.digits
    points = [scale * value for value in found.differences]
    name = measure.label.removesuffix(", %")
    height = min(1.4 + 0.27 * len(points), 9.0)

    def paint(axes: Axes) -> None:
        blue = PLACEHOLDERS["distilled"]
        places = range(len(points))
        axes.axvline(0, color=PLACEHOLDERS["ink"], linewidth=1.2)
        axes.hlines(places, 0, points, color=blue, linewidth=1.5, alpha=0.45)
        axes.plot(points, places, "o", color=blue, markersize=7)
        labels = [f"seed {seed}" for seed in shown]
        ticks = list(places)
        if found.low is not None and found.high is not None:
            below, mean = len(points), scale * found.mean
            axes.axhline(below - 0.5, color=PLACEHOLDERS["grid"], linewidth=1)
            axes.plot(
                [scale * found.low, scale * found.high], [below, below], color=blue, linewidth=3
            )
            axes.plot([mean], [below], "D", color=blue, markersize=9)
            labels.append("mean, 95%")
            ticks.append(below)
        axes.set_yticks(ticks, labels)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_title(f"{name}, distilled − alone{',' * bool(measure.unit)}{measure.unit}")
        axes.margins(x=0.08, y=0.12)

    values = ", ".join(
        f"seed {s} {fmt.number(p, digits, sign=True)}" for s, p in zip(shown, points, strict=True)
    )
    counted = ", in points" if measure.unit else ""
    alt = f"{name} of the distilled student minus the student alone{counted}: {values}."
    return draw(paint, name="paired", alt=alt, size=(WIDE[0], height))


def reliability_diagram(arm: str, bins: Reliability) -> str:
    """Accuracy in each bin of confidence against the diagonal; dots grow with the bin's count."""
    filled = [
        (confidence, accuracy, count)
        for confidence, accuracy, count in zip(
            bins.confidence, bins.accuracy, bins.count, strict=True
        )
        if count > 0 and confidence is not None and accuracy is not None
    ]
    samples = sum(count for *_, count in filled) or 1

    def paint(axes: Axes) -> None:
        colour = PLACEHOLDERS[arm]
        axes.plot([0, 1], [0, 1], color=PLACEHOLDERS["muted"], linewidth=1, linestyle="dashed")
        confidences, accuracies = [c for c, *_ in filled], [a for _, a, _ in filled]
        axes.vlines(confidences, confidences, accuracies, color=colour, linewidth=2, alpha=0.5)
        sizes = [18 + 260 * (count / samples) ** 0.5 for *_, count in filled]
        axes.scatter(confidences, accuracies, s=sizes, color=colour, linewidth=0, clip_on=False)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", title=ARM_NAMES[arm])
        axes.set_xlabel("Confidence")
        axes.set_ylabel("Accuracy", labelpad=8)

    gap = sum(count * abs(accuracy - confidence) for confidence, accuracy, count in filled)
    alt = (
        f"Reliability diagram of {ARM_NAMES[arm].lower()}: accuracy differs from confidence by "
        f"{fmt.number(100 * gap / samples, 2)} points on average over {samples} predictions."
    )
    return draw(paint, name=f"reliability-{arm}", alt=alt, size=SQUARE)
