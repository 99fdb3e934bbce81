"""The evidence: one row for each thing measured, one cell for each arm, and the difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from didact.metrics import Difference, mean_interval, paired_test
from didact.report.drawing import format as fmt
from didact.train.record.result import ArmNumbers, Model, Result

ARMS = ("teacher", "alone", "distilled")
ARM_NAMES = {"teacher": "Teacher", "alone": "Student alone", "distilled": "Student distilled"}
LEVEL = 0.95
Cost = Callable[[Model], float | None]


@dataclass(frozen=True, slots=True)
class Measure:
    """How a metric is called, shown and judged; ``short`` is for the terminal."""

    key: str
    label: str
    short: str
    scale: float
    digits: int
    higher_is_better: bool

    @property
    def unit(self) -> str:
        """What a difference is counted in, with a blank before it: points of a percentage."""
        return " points" if self.scale == 100 else ""

    @property
    def noun(self) -> str:
        """As it stands in a sentence."""
        name = self.label.removesuffix(", %")
        return name[:1].lower() + name[1:]


MEASURES = (
    Measure("test_accuracy", "Test accuracy, %", "Test accuracy, %", 100, 2, True),
    Measure("validation_accuracy", "Validation accuracy, %", "Validation acc., %", 100, 2, True),
    Measure("mean_average_precision", "Mean average precision, %", "mAP, %", 100, 2, True),
    Measure("f1_macro", "F1, mean over labels, %", "F1 macro, %", 100, 2, True),
    Measure("f1_micro", "F1, all decisions, %", "F1 micro, %", 100, 2, True),
    Measure("bits_per_byte", "Bits per byte", "Bits per byte", 1, 3, False),
    Measure("neighbours_kept", "Nearest sentences shared, %", "Nearest shared, %", 100, 2, True),
    Measure("mae", "Mean absolute error", "MAE", 1, 4, False),
    Measure("rmse", "Root mean squared error", "RMSE", 1, 4, False),
    Measure("r2", "Explained variance (R\N{SUPERSCRIPT TWO})", "R\N{SUPERSCRIPT TWO}", 1, 3, True),
    Measure("agreement_labels", "Same decision as teacher, %", "Agreement, %", 100, 2, True),
    Measure("distance_from_teacher", "Mean distance from teacher", "From teacher", 1, 4, False),
    Measure("agreement_top1", "Same class as teacher, %", "Agreement, %", 100, 2, True),
    Measure("agreement_kl", "KL from the teacher, nats", "KL from teacher", 1, 3, False),
    Measure("ece", "Calibration error (ECE), %", "ECE, %", 100, 2, False),
    Measure("nll", "Neg. log-likelihood, nats", "NLL", 1, 3, False),
    Measure("brier", "Brier score, 0 to 2", "Brier score", 1, 3, False),
)
IN_UNITS_OF_DATA = ("mae", "rmse", "distance_from_teacher")
TRAINING = Measure("train_seconds", "Training, seconds", "Training, s", 1, 1, False)


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One line of the table, ready to print."""

    label: str
    short: str
    cells: tuple[str, str, str]
    change: str = ""
    half_width: str = ""
    interval: str = ""
    p_value: str = ""
    verdict: str = ""


def evidence(result: Result) -> list[EvidenceRow]:
    """The rows that were measured; the first is what the run is judged by."""
    rows = [_measured(result, sized(m, result)) for m in MEASURES if _any_arm(result, m)]
    rows += _costs(result)
    if _any_arm(result, TRAINING):
        rows.append(_row(result, TRAINING, None))
    return rows


def arm_values(result: Result, arm: str, metric: str) -> list[float]:
    """One number for each finished seed of an arm."""
    found = {str(name): value for name, value in result.arms.items()}
    return found.get(arm, ArmNumbers()).values(metric)


def primary(result: Result) -> Measure:
    """What the run is judged by: the metric of its task."""
    found = next((m for m in MEASURES if m.key == result.metric), MEASURES[0])
    return sized(found, result)


def goodness(result: Result) -> float:
    """The metric of the distilled student on the validation split, signed so that more is better.

    The mean over seeds; minus infinity where there is no distilled student.
    """
    name = {"test_accuracy": "validation_accuracy"}.get(result.metric, result.metric)
    found = {str(arm): numbers for arm, numbers in result.validation.items()}
    values = found.get("distilled", ArmNumbers()).values(name)
    if not values:
        return -math.inf
    mean = sum(values) / len(values)
    return mean if primary(result).higher_is_better else -mean


def sized(measure: Measure, result: Result) -> Measure:
    """The measure with four digits of its largest number, where it is in the units of the data."""
    if measure.key not in IN_UNITS_OF_DATA:
        return measure
    values = [abs(v) for arm in ARMS for v in arm_values(result, arm, measure.key)]
    size = math.floor(math.log10(max(values))) if values and max(values) > 0 else 0
    return replace(measure, digits=min(max(3 - size, 0), 12))


def difference(result: Result, metric: str | None = None) -> Difference | None:
    """Distilled minus alone over the seeds that both have finished; None where there are none."""
    metric = metric or result.metric
    distilled = arm_values(result, "distilled", metric)
    alone = arm_values(result, "alone", metric)
    shared = min(len(distilled), len(alone))
    if shared == 0:
        return None
    return paired_test(distilled[:shared], alone[:shared], level=LEVEL)


def direction(found: Difference, *, higher_is_better: bool) -> str:
    """``better`` or ``worse`` where the interval excludes zero, else ``unclear``."""
    if found.low is None or found.high is None or found.low <= 0 <= found.high:
        return "unclear"
    return "better" if (found.low > 0) == higher_is_better else "worse"


def _measured(result: Result, measure: Measure) -> EvidenceRow:
    return _row(result, measure, difference(result, measure.key))


def _row(result: Result, measure: Measure, found: Difference | None) -> EvidenceRow:
    teacher, alone, distilled = (_cell(result, arm, measure) for arm in ARMS)
    row = EvidenceRow(measure.label, measure.short, (teacher, alone, distilled))
    if found is None:
        return row
    return replace(
        row,
        change=fmt.change(found, measure.scale, measure.digits),
        half_width=fmt.change_half_width(found, measure.scale, measure.digits),
        interval=fmt.change_interval(found, measure.scale, measure.digits),
        p_value=fmt.p_value(found.p_value).removeprefix("p = ").removeprefix("p "),
        verdict=direction(found, higher_is_better=measure.higher_is_better),
    )


def _cell(result: Result, arm: str, measure: Measure) -> str:
    values = arm_values(result, arm, measure.key)
    if not values or (arm == "teacher" and measure.key.startswith(("agreement", "distance"))):
        return fmt.NOTHING
    return fmt.spread(mean_interval(values, LEVEL), scale=measure.scale, digits=measure.digits)


def _any_arm(result: Result, measure: Measure) -> bool:
    return any(arm_values(result, arm, measure.key) for arm in ARMS)


def latency_batch(result: Result) -> int | None:
    """The batch size that all latencies were measured with, None where they differ."""
    students = [] if result.models.student is None else [result.models.student]
    sizes = {m.latency_ms.batch_size for m in (*result.models.teacher, *students) if m.latency_ms}
    return sizes.pop() if len(sizes) == 1 else None


def total(models: Sequence[Model], get: Cost) -> float | None:
    """The sum over the models, as an ensemble costs; None where one of them is not known."""
    values = [get(model) for model in models]
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _costs(result: Result) -> list[EvidenceRow]:
    batch = latency_batch(result)
    latency = "Latency per batch" + (f" of {batch}" if batch else "")
    costs: tuple[tuple[str, str, Cost, Callable[[float], str]], ...] = (
        ("Parameters", "Parameters", lambda m: m.parameters, lambda v: fmt.count(int(v))),
        ("Size on disk", "Size on disk", lambda m: m.bytes, lambda v: fmt.size(int(v))),
        (latency, "Latency / batch", median_latency, fmt.milliseconds),
    )
    students = [] if result.models.student is None else [result.models.student]
    rows = []
    for label, short, get, show in costs:
        found = [total(models, get) for models in (result.models.teacher, students)]
        teacher, student = (fmt.NOTHING if v is None else show(v) for v in found)
        if found != [None, None]:
            rows.append(EvidenceRow(label, short, (teacher, student, student)))
    return rows


def median_latency(model: Model) -> float | None:
    """Milliseconds for one batch."""
    return model.latency_ms.median if model.latency_ms else None
