"""What the template is given: the parts of the page, each empty where the run has none."""

from __future__ import annotations

from typing import Any

from didact.report.distilling.evidence import (
    ARM_NAMES,
    ARMS,
    difference,
    evidence,
    latency_batch,
    primary,
)
from didact.report.distilling.figures import (
    learning_curves,
    paired_differences,
    reliability_diagram,
)
from didact.report.distilling.images import on_images
from didact.report.distilling.load import Run
from didact.report.distilling.spread import class_errors, over_seeds
from didact.report.distilling.tree import tree_page
from didact.report.distilling.verdict import judge, retention
from didact.report.drawing import format as fmt
from didact.report.drawing.png import is_png
from didact.train.record.result import Disagreement, Model, Result


def page(run: Run) -> dict[str, Any]:
    """All values of the template."""
    result = run.result
    return {
        "name": run.folder.resolve().name,
        "result": result,
        "complete": run.complete,
        "verdict": judge(result),
        "basis": _unbroken(judge(result).basis),
        "retention": retention(result),
        "arms": [(arm, ARM_NAMES[arm]) for arm in ARMS],
        "evidence": [] if result is None else evidence(result),
        "seeds_shown": "" if result is None else fmt.seeds(len(result.seeds)),
        "seeds_many": result is not None and len(result.seeds) > 1,
        "batch": None if result is None else latency_batch(result),
        "curves": learning_curves(run.rows),
        "paired": _paired(result),
        "spread": [] if result is None else over_seeds(result),
        "errors": _errors(run),
        "tree": tree_page(result, run.tree),
        "reliability": _reliability(result),
        "images": _images(run),
        "disagreements": [_disagreement(d, result) for d in run.disagreements],
        "facts": [] if result is None else _facts(result),
        "machine": [] if result is None else _machine(result),
        "configuration": run.configuration,
    }


def _unbroken(text: str) -> str:
    """The same with ``p = 0.01`` kept on one line."""
    for sign in ("<", "="):
        text = text.replace(f"p {sign} ", f"p\N{NO-BREAK SPACE}{sign}\N{NO-BREAK SPACE}")
    return text


def _paired(result: Result | None) -> str:
    found = None if result is None else difference(result)
    if result is None or found is None or len(found.differences) < 2:
        return ""
    return paired_differences(found, result.seeds, primary(result))


def _images(run: Run) -> dict[str, Any] | None:
    """Models on the same test images, in words and numbers; None where no answers were kept."""
    if run.result is None or run.predictions is None:
        return None
    found = on_images(run.result, run.predictions)
    names = run.result.data.class_names
    most, share = found.majority
    return {
        "seed": found.seed,
        "models": [
            {
                "arm": one.arm,
                "name": ARM_NAMES.get(one.arm, one.arm),
                "accuracy": f"{100 * one.interval.mean:.2f}",
                "interval": f"{_percent(one.interval.low)} to {_percent(one.interval.high)}",
                "vote": "–" if one.vote is None else f"{100 * one.vote:.2f}",
            }
            for one in found.models
        ],
        "students": found.students,
        "p_value": "" if found.students is None else _unbroken(fmt.p_value(found.students.p_value)),
        "majority": names[most] if most < len(names) else str(most),
        "share": f"{100 * share:.2f}",
    }


def _errors(run: Run) -> dict[str, Any] | None:
    """The errors of the kept student class by class."""
    if run.result is None or run.predictions is None:
        return None
    for arm in ("distilled", "alone"):
        if lines := class_errors(run.result, run.predictions, arm):
            return {"name": ARM_NAMES[arm], "lines": lines}
    return None


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"


def _reliability(result: Result | None) -> list[str]:
    found = {} if result is None else {str(arm): bins for arm, bins in result.reliability.items()}
    return [reliability_diagram(arm, found[arm]) for arm in ARMS if arm in found]


def _disagreement(found: Disagreement, result: Result | None) -> dict[str, Any]:
    names = [] if result is None else result.data.class_names

    def named(which: int | str) -> str:
        return names[which] if isinstance(which, int) and 0 <= which < len(names) else str(which)

    def sure(confidence: float | None) -> str:
        return "" if confidence is None else f"{100 * confidence:.0f}%"

    return {
        "png": found.png if is_png(found.png) else "",
        "index": found.index,
        "label": named(found.label),
        "teacher": named(found.teacher_class),
        "teacher_sure": sure(found.teacher_confidence),
        "teacher_right": found.teacher_class == found.label,
        "student": named(found.student_class),
        "student_sure": sure(found.student_confidence),
        "student_right": found.student_class == found.label,
    }


def _facts(result: Result) -> list[tuple[str, str]]:
    """What was trained on what, and how; one pair for each line."""
    facts = [("Data", _data(result))]
    facts += [("Teacher", _model(model)) for model in result.models.teacher]
    if result.models.student is not None:
        facts.append(("Student", _model(result.models.student)))
    facts.append(("Loss", _loss(result.loss)))
    facts.append(("Seeds", ", ".join(str(seed) for seed in result.seeds)))
    if result.epoch_chosen_by == "validation":
        facts.append(("Epoch", "the best on the validation split; the test split had no say"))
    elif result.epoch_chosen_by:
        facts.append(("Epoch", f"the {result.epoch_chosen_by}"))
    if result.onnx is not None and result.onnx.checked:
        facts.append(("ONNX", _onnx(result)))
    return [(name, value) for name, value in facts if value]


def _loss(loss: dict[str, Any]) -> str:
    """``kd (temperature 4, kd weight 0.9)``; several losses with their weights."""
    names, weights = loss.get("names") or [], loss.get("weights") or []
    if isinstance(names, list) and isinstance(weights, list) and 1 < len(names) == len(weights):
        names = [
            f"{weight} {name}" for weight, name in zip(map(_plain, weights), names, strict=True)
        ]
    details = ", ".join(
        f"{key.replace('_', ' ')} {_plain(value)}"
        for key, value in loss.items()
        if key not in ("names", "weights") and value not in (None, {}, [], "")
    )
    shown = _plain(names)
    return f"{shown} ({details})" if shown and details else shown or details


def _data(result: Result) -> str:
    data = result.data
    parts = [data.name]
    if data.train is not None:
        labelled = f" ({data.labelled:,} with labels)" if data.labelled is not None else ""
        samples = "rows" if len(data.image_shape) == 1 else "images"
        samples = "windows" if result.task == "text" else data.samples or samples
        parts.append(f"{data.train:,} training {samples}{labelled}")
    if data.label_noise:
        parts.append(f"{100 * data.label_noise:g}% of the labels replaced at random")
    parts += [f"{n:,} {what}" for n, what in ((data.validation, "validation"),) if n is not None]
    parts += [f"{n:,} test" for n in (data.test,) if n is not None]
    if data.num_classes is not None:
        outputs = {
            "regression": "numbers to predict", "multi-label": "labels", "text": "kinds of token",
        }  # fmt: skip
        parts.append(f"{data.num_classes:,} {outputs.get(result.task, 'classes')}")
    if len(data.image_shape) == 1:
        of = "tokens in a window" if result.task == "text" else "columns"
        parts.append(f"{data.image_shape[0]:,} {of}")
    elif data.image_shape:
        parts.append(" × ".join(str(n) for n in data.image_shape))
    return ", ".join(parts)


def _model(model: Model) -> str:
    if model.parameters is None:
        return model.name
    return f"{model.name}, {fmt.count(model.parameters)} parameters"


def _onnx(result: Result) -> str:
    if result.onnx is None or result.onnx.max_abs_difference is None:
        return "checked against PyTorch"
    samples = result.data.samples or "images"
    images = "" if result.onnx.images is None else f" over {result.onnx.images:,} {samples}"
    largest = f"{result.onnx.max_abs_difference:.1e}"
    return f"checked against PyTorch: largest difference of a logit {largest}{images}"


def _machine(result: Result) -> list[tuple[str, str]]:
    """Versions and hardware."""
    facts = [("didact", result.didact)]
    facts += [(key, _plain(value)) for key, value in result.versions.items() if key != "didact"]
    for key, value in result.hardware.items():
        if key.endswith("_gib"):
            facts.append((key.removesuffix("_gib").replace("_", " "), f"{_plain(value)} GiB"))
        else:
            facts.append((key.replace("_", " "), _plain(value)))
    if result.started:
        facts.append(("started", result.started.replace("T", " ", 1)))
    if result.seconds is not None:
        facts.append(("took", fmt.duration(result.seconds)))
    return facts


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    return str(value)
