"""One sentence that says what was shown, and no more than that."""

from __future__ import annotations

from dataclasses import dataclass

from didact.metrics import Difference
from didact.report.distilling.evidence import (
    Cost,
    Measure,
    arm_values,
    difference,
    direction,
    median_latency,
    primary,
    total,
)
from didact.report.drawing import format as fmt
from didact.train.record.result import Model, Result


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sentence, what it rests on, and its direction."""

    text: str
    basis: str
    direction: str


UNFINISHED = "No test results yet."


def judge(result: Result | None) -> Verdict:
    """Better, worse, no difference shown, or why nothing can be said."""
    if result is None:
        return Verdict(UNFINISHED, "", "")
    found = difference(result)
    if found is None:
        return Verdict(*_one_arm_only(result), "")
    measure = primary(result)
    seeds = fmt.seeds(len(found.differences))
    where = direction(found, higher_is_better=measure.higher_is_better)
    basis = _basis(found, seeds, measure)
    lead = _lead(found, measure)
    if found.p_value is None:
        if not found.mean:
            lead = f"The distilled student and the student alone have the same {measure.noun}"
        return Verdict(f"{lead}, but {found.note}.", basis, where)
    if where == "unclear":
        mean = fmt.change(found, measure.scale, measure.digits)
        sentence = f"No difference shown: distilled minus alone is {mean}{measure.unit}."
        return Verdict(sentence, basis.replace(", ", " includes zero, ", 1), where)
    return Verdict(f"{lead}.", basis, where)


def _lead(found: Difference, measure: Measure) -> str:
    amount = fmt.number(abs(found.mean) * measure.scale, measure.digits)
    side = "above" if found.mean > 0 else "below"
    if measure.key == "test_accuracy":
        return f"The distilled student is {amount} points {side} the student alone"
    return (
        f"The distilled student's {measure.noun} is {amount}{measure.unit} {side} that of the "
        "student alone"
    )


def _basis(found: Difference, seeds: str, measure: Measure) -> str:
    if found.p_value is None:
        return f"{seeds}; more seeds can show how sure this is."
    interval = fmt.change_interval(found, measure.scale, measure.digits)
    p_value = fmt.p_value(found.p_value)
    return f"95% interval {interval}{measure.unit}, {p_value} ({found.test}, {seeds})."


ALONE_IN_THE_RUN = {
    "distilled": "The distilled student reaches {}; there is no student alone to compare it with.",
    "alone": "The student alone reaches {}; there is no distilled student to compare it with.",
    "teacher": "The teacher reaches {}; no student was trained.",
}


def _one_arm_only(result: Result) -> tuple[str, str]:
    measure = primary(result)
    for arm, sentence in ALONE_IN_THE_RUN.items():
        values = arm_values(result, arm, measure.key)
        if values:
            mean = fmt.number(measure.scale * sum(values) / len(values), measure.digits)
            shown = f"{mean}%" if measure.scale == 100 else mean
            label = measure.label.removesuffix(", %")
            return sentence.format(shown), f"{label} over {fmt.seeds(len(values))}."
    return UNFINISHED, ""


def retention(result: Result | None) -> str:
    """How much of the teacher the distilled student keeps, and at what size."""
    if result is None:
        return ""
    measure = primary(result)
    student = arm_values(result, "distilled", measure.key)
    teacher = arm_values(result, "teacher", measure.key)
    shared = min(len(student), len(teacher))
    if shared == 0:
        return ""
    kept = sum(student[:shared]) / max(sum(teacher[:shared]), 1e-12)
    noun = "accuracy" if measure.key.endswith("accuracy") else measure.noun
    sentence = f"It keeps {100 * kept:.1f}% of the teacher's {noun}"
    if not measure.higher_is_better:
        sentence = f"Its {noun} is {100 * kept:.1f}% of the teacher's"
    shares = [
        f"{share} of its {what}"
        for what, get in (("parameters", _parameters), ("latency", median_latency))
        if (share := _share(result, get))
    ]
    return f"{sentence} with {' and '.join(shares)}." if shares else f"{sentence}."


def _parameters(model: Model) -> float | None:
    return model.parameters


def _share(result: Result, get: Cost) -> str:
    """The student's share of what the teachers cost together, as ``0.8%``."""
    student = total([] if result.models.student is None else [result.models.student], get)
    teacher = total(result.models.teacher, get)
    if not student or not teacher:
        return ""
    percent = 100 * student / teacher
    return f"{percent:.0f}%" if percent >= 10 else f"{percent:.2g}%"
