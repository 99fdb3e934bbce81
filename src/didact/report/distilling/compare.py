"""Runs side by side: each run's numbers, and how it differs from the first run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from didact._core.errors import RunFolderError
from didact._core.lookup import choose
from didact.metrics import (
    MOST_SEEDS_FOR_EXACT,
    Difference,
    Disagreements,
    Interval,
    Quartiles,
    holm,
    mean_interval,
    paired_test,
    quartiles,
    sign_flip_p_value,
    welch_test,
)
from didact.report.distilling.evidence import (
    ARMS,
    MEASURES,
    TRAINING,
    Measure,
    arm_values,
    primary,
    sized,
)
from didact.report.distilling.images import same_images
from didact.report.distilling.load import load_predictions, load_result
from didact.train.record.result import Result

METRICS = {measure.key: measure for measure in (*MEASURES, TRAINING)}


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One arm of one run, and its difference from the first run, which has none."""

    name: str
    values: tuple[float, ...]
    seeds: tuple[int, ...]
    interval: Interval
    quartiles: Quartiles
    difference: Difference | None
    sign_flip_p: float | None
    holm_p: float | None = None
    images: Disagreements | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, and the runs in the order given."""

    measure: Measure
    arm: str
    data: str
    split: str
    runs: tuple[ComparedRun, ...]
    warnings: tuple[str, ...]


def compare_distilled(
    folders: Sequence[Path], *, metric: str | None = None, arm: str = "distilled"
) -> Comparison:
    """Read the runs and test each against the first.

    Runs with the same seeds are paired, seed by seed; others are compared with Welch's test.

    Args:
        folders: Two or more run folders.
        metric: A key of ``arms`` in ``result.json``, such as ``"nll"``; by default what the first
            run is judged by.
        arm: ``"teacher"``, ``"alone"`` or ``"distilled"``.

    Raises:
        RunFolderError: Fewer than two folders, one that is not a finished run, runs on different
            data, or a run without that metric.
        UnknownNameError: An unknown metric or arm.
    """
    if metric is not None:
        choose(metric, METRICS, what="metric")
    arm = choose(arm, {name: name for name in ARMS}, what="arm")
    if len(folders) < 2:
        raise RunFolderError(f"there is {len(folders)} run folder; expected two or more to compare")
    results = [(folder, load_result(folder)) for folder in folders]
    measure = METRICS[metric] if metric is not None else primary(results[0][1])
    measure = sized(measure, results[0][1])
    _check_data(results)
    names = names_of(folders)
    numbers = [_values(folder, result, measure, arm) for folder, result in results]
    runs = [
        compared(name, values, result.seeds, numbers[0], results[0][1].seeds, first=position == 0)
        for position, (name, values, (_, result)) in enumerate(
            zip(names, numbers, results, strict=True)
        )
    ]
    if measure.key == "test_accuracy":
        runs[1:] = _on_images(folders, [result for _, result in results], runs[1:], arm)
    return Comparison(
        measure,
        arm,
        results[0][1].data.name,
        results[0][1].evaluated_on,
        corrected(runs),
        tuple(_warnings(names, results)),
    )


def compared(
    name: str,
    values: Sequence[float],
    seeds: Sequence[int],
    base: Sequence[float],
    base_seeds: Sequence[int],
    *,
    first: bool,
) -> ComparedRun:
    """A run's numbers beside the first run's; the same seeds are paired."""
    seeds, base_seeds = tuple(seeds[: len(values)]), tuple(base_seeds[: len(base)])
    by_seed = dict(zip(seeds, values, strict=True))
    difference, exact = None, None
    if not first and set(seeds) == set(base_seeds):
        difference = paired_test([by_seed[seed] for seed in base_seeds], base)
        if 1 < len(base) <= MOST_SEEDS_FOR_EXACT:
            exact = sign_flip_p_value(difference.differences)
    elif not first:
        difference = welch_test(values, base)
    return ComparedRun(
        name, tuple(values), seeds, mean_interval(values), quartiles(values), difference, exact
    )


def corrected(runs: Sequence[ComparedRun]) -> tuple[ComparedRun, ...]:
    """The runs with Holm's correction of their tests, where there are several."""
    p_values = holm([None if r.difference is None else r.difference.p_value for r in runs])
    if sum(value is not None for value in p_values) < 2:
        return tuple(runs)
    return tuple(replace(run, holm_p=p) for run, p in zip(runs, p_values, strict=True))


def _on_images(
    folders: Sequence[Path], results: Sequence[Result], runs: Sequence[ComparedRun], arm: str
) -> list[ComparedRun]:
    """The kept students of the runs, each on the same test images as the first run's."""
    kept = [result.seeds[0] if result.student_seed is None else result.student_seed
            for result in results]  # fmt: skip
    found = [load_predictions(*pair) for pair in zip(folders, results, strict=True)]
    first = found[0]
    return [
        run
        if first is None or other is None
        else replace(run, images=same_images(first, kept[0], other, seed, arm))
        for run, other, seed in zip(runs, found[1:], kept[1:], strict=True)
    ]


def _values(folder: Path, result: Result, measure: Measure, arm: str) -> list[float]:
    values = arm_values(result, arm, measure.key)
    if not values:
        there = sorted(name for name in ARMS if arm_values(result, name, measure.key))
        hint = f"it has it for: {', '.join(there)}" if there else "no arm has it"
        raise RunFolderError(f"{folder} has no {measure.key} for the arm {arm!r}; {hint}")
    return values


def _check_data(results: Sequence[tuple[Path, Result]]) -> None:
    """Numbers on different test sets cannot be compared at all."""
    first_folder, first = results[0]
    for folder, result in results[1:]:
        for what, mine, theirs in (
            ("data set", result.data.name, first.data.name),
            ("number of test images", result.data.test, first.data.test),
            ("number of classes", result.data.num_classes, first.data.num_classes),
            ("split that it is measured on", result.evaluated_on, first.evaluated_on),
        ):
            if mine != theirs:
                raise RunFolderError(
                    f"the {what} of {folder} is {mine} and of {first_folder} is {theirs}; "
                    "runs on different data cannot be compared"
                )


def _warnings(names: Sequence[str], results: Sequence[tuple[Path, Result]]) -> list[str]:
    """What differs but may be the point of the comparison."""
    first = results[0][1]
    warnings = []
    for name, (_, result) in zip(names, results, strict=True):
        if not result.complete:
            warnings.append(f"{name} is not finished: {len(result.seeds)} seeds were planned")
        for what in ("train", "labelled", "label_noise"):
            mine, theirs = getattr(result.data, what), getattr(first.data, what)
            if mine != theirs:
                label = what.replace("_", " ")
                warnings.append(f"{name} has {label} {mine}; {names[0]} has {theirs}")
    return warnings


def names_of(folders: Sequence[Path]) -> list[str]:
    """The folders' names, with as much of their path as tells them apart."""
    resolved = [folder.resolve() for folder in folders]
    for depth in range(1, max(len(path.parts) for path in resolved) + 1):
        names = ["/".join(path.parts[-depth:]) for path in resolved]
        if len(set(names)) == len(set(resolved)):
            return names
    return [str(path) for path in resolved]
