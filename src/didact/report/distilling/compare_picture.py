"""A comparison of runs as a picture: means with their intervals, one line for each run."""

from __future__ import annotations

import io
from pathlib import Path

from matplotlib import rc_context, style
from matplotlib.figure import Figure

from didact._core.atomic import replace_file
from didact._core.errors import RunFolderError, UsageError
from didact.report.distilling.compare import ComparedRun, Comparison
from didact.report.distilling.evidence import direction

ENDINGS = ("svg", "png", "pdf")
COLOURS = {"better": "#1a7f37", "worse": "#b42318", "unclear": "#57606a"}


def comparison_picture(comparison: Comparison, path: Path) -> None:
    """Write the picture whole or not at all; the ending of the name says how.

    Each run is a line: its mean, its 95% interval and its seeds as dots. A run is green where it is
    better than the first, red where it is worse, after Holm's correction where there are several.

    Raises:
        UsageError: Another ending.
        RunFolderError: The file cannot be written.
    """
    ending = path.suffix.removeprefix(".").lower()
    if ending not in ENDINGS:
        raise UsageError(f"{path.name} ends in {path.suffix!r}; expected .{', .'.join(ENDINGS)}")
    scale, runs = comparison.measure.scale, comparison.runs
    with style.context("default"), rc_context({"svg.fonttype": "none", "svg.hashsalt": "didact"}):
        figure = Figure(figsize=(6.4, 1.2 + 0.42 * len(runs)), layout="constrained")
        axes = figure.add_subplot()
        for place, run in enumerate(runs):
            colour = COLOURS[_side(run, comparison)]
            mean, interval = run.interval.mean * scale, run.interval
            axes.plot([v * scale for v in run.values], [place] * len(run.values), "o",
                      color=colour, alpha=0.3, markersize=4)  # fmt: skip
            if interval.low is not None and interval.high is not None:
                ends = [interval.low * scale, interval.high * scale]
                axes.plot(ends, [place, place], color=colour, linewidth=2)
            axes.plot([mean], [place], "D", color=colour, markersize=7)
        axes.axvline(runs[0].interval.mean * scale, color="#8c959f", linewidth=1, linestyle="--")
        axes.set_yticks(range(len(runs)), [run.name for run in runs])
        axes.invert_yaxis()
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlabel(f"{comparison.measure.label} ({comparison.split} split)")
        content = io.BytesIO()
        about = {"Date": None} if ending == "svg" else {"CreationDate": None}
        figure.savefig(content, format=ending, dpi=150, metadata=None if ending == "png" else about)
    try:
        replace_file(path, content.getvalue())
    except OSError as error:
        raise RunFolderError(f"cannot write {path}: {error.strerror or error}") from None


def _side(run: ComparedRun, comparison: Comparison) -> str:
    if run.difference is None or (run.holm_p is not None and run.holm_p >= 0.05):
        return "unclear"
    return direction(run.difference, higher_is_better=comparison.measure.higher_is_better)
