"""What the template of a class-incremental run is given."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

from didact.report.drawing import format as fmt
from didact.report.drawing.spread import FEWEST_SEEDS, Spread, spread_of
from didact.report.learning.figures import (
    accuracy_heat,
    class_confusion_heat,
    class_heat,
    colour_of,
    confusion_heat,
    curves,
    dash_of,
    most_confused,
)
from didact.report.learning.load import load_outcome
from didact.report.learning.table import MEASURED_ON, percent, verdict_of
from didact.train.record.result import LearnMethod, LearnOutcome, LearnPair
from didact.train.record.run_folder import SETTINGS

COLUMNS = {
    "average_incremental": "Average incremental",
    "last": "Last",
    "last_class_balanced": "Last, class-balanced",
    "last_worst_class": "Last, worst class",
    "last_task_aware": "Last, task told",
    "forgetting": "Forgetting",
    "backward_transfer": "Backward transfer",
    "intransigence": "Intransigence",
    "forward_transfer": "Forward transfer",
}
NAMES = {"average_incremental": "average incremental accuracy", "last": "last accuracy"}


def learn_page(folder: Path) -> dict[str, Any]:
    """All values of the template.

    Raises:
        RunFolderError: Not a run folder, or a file of it is damaged.
    """
    outcome = load_outcome(folder)
    measured = [
        (key, title)
        for key, title in COLUMNS.items()
        if any(key in method.intervals for method in outcome.methods.values())
    ]
    path = folder / SETTINGS
    labels, classes = class_heat(outcome)
    return {
        "name": folder.resolve().name,
        "folder": str(folder),
        "outcome": outcome,
        "verdict": verdict_of(outcome),
        "columns": [title for _, title in measured],
        "balanced": "last_class_balanced" in dict(measured),
        "told": "last_task_aware" in dict(measured),
        "over_images": any(method.over_images for method in outcome.methods.values()),
        "methods": [
            _method(number, name, method, outcome, [key for key, _ in measured])
            for number, (name, method) in enumerate(outcome.methods.items())
        ],
        "curves": curves(outcome) if outcome.methods else "",
        "spread": _spread(outcome),
        "over": MEASURED_ON[outcome.scenario],
        "labels": labels,
        "classes": classes,
        "pairs": [_pair(pair) for pair in outcome.paired],
        "facts": _facts(outcome),
        "machine": _machine(outcome),
        "configuration": path.read_text(encoding="utf-8") if path.is_file() else "",
    }


def _spread(outcome: LearnOutcome) -> list[Spread]:
    """The last accuracy of each method over its seeds, where they are enough."""
    return [
        spread_of(colour_of(number), name, method.numbers["last"], outcome.seeds)
        for number, (name, method) in enumerate(outcome.methods.items())
        if len(method.numbers.get("last", ())) == len(outcome.seeds) >= FEWEST_SEEDS
    ]


def _method(
    number: int, name: str, method: LearnMethod, outcome: LearnOutcome, keys: list[str]
) -> dict[str, Any]:
    labels, classes = class_confusion_heat(method, outcome)
    budget = fmean(size["budget_bytes"] for size in method.sizes)
    return {
        "name": name,
        "colour": colour_of(number),
        "dash": {"solid": "", "dashed": "8 4", "dashdot": "8 3 2 3", "dotted": "2 3"}[
            dash_of(number)
        ],
        "cells": [_cell(method, key) for key in keys],
        "others": [
            {
                "name": f"{name} ({other})",
                "cells": [
                    fmt.number(100 * fmean(found.numbers[key]), 1)
                    if key in found.numbers
                    else fmt.NOTHING
                    for key in keys
                ],
            }
            for other, found in method.others.items()
        ],
        "seconds": fmt.number(fmean(method.seconds), 1),
        "budget": kilobytes(budget),
        "sizes": {
            key: kilobytes(value) for key, value in method.sizes[0].items() if "bytes" in key
        },
        "parameters": fmt.count(method.sizes[0]["parameters"]),
        "exemplars": f"{method.sizes[0]['exemplars']:,}",
        "accuracy": accuracy_heat(method, outcome.protocol.get("test_sizes", ())),
        "confusion": confusion_heat(method),
        "labels": labels,
        "class_confusion": classes,
        "most_confused": [] if classes else most_confused(method, outcome),
    }


def _cell(method: LearnMethod, key: str) -> tuple[str, str]:
    """``88.6 ± 1.2`` over seeds; of one seed the number, and ``86.0 to 90.8`` over test images."""
    over_images = method.over_images.get(key, ())
    shown = percent(method.intervals.get(key))
    if len(over_images) != 1 or over_images[0].low is None or over_images[0].high is None:
        return shown, ""
    ends = [fmt.number(100 * end, 1) for end in (over_images[0].low, over_images[0].high)]
    return shown, " to ".join(ends)


def kilobytes(count: float) -> str:
    """``203 kB``, ``1.8 MB``."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _pair(pair: LearnPair) -> dict[str, str]:
    interval = ""
    if pair.low is not None and pair.high is not None:
        low, high = (fmt.number(100 * v, 1, sign=True) for v in (pair.low, pair.high))
        interval = f"{low} to {high}"
    return {
        "what": pair.what,
        "number": NAMES.get(pair.number, pair.number),
        "mean": fmt.number(100 * pair.mean, 1, sign=True),
        "interval": interval,
        "p_value": fmt.p_value(pair.p_value),
    }


def _facts(outcome: LearnOutcome) -> list[tuple[str, str]]:
    protocol = outcome.protocol
    groups = protocol.get("groups")
    facts = [
        ("Data", _data(outcome)),
        ("Scenario", f"{outcome.scenario}-incremental{_count(protocol.get('tasks'))}"),
        ("Tasks", " | ".join(" ".join(map(str, group)) for group in groups) if groups else ""),
        ("Network", outcome.model),
        ("Training", _training(protocol)),
        ("Memory", _memory(protocol)),
        ("Seeds", ", ".join(map(str, outcome.seeds))),
        ("Protocol", outcome.fingerprint),
    ]
    return [(name, value) for name, value in facts if value]


def _data(outcome: LearnOutcome) -> str:
    data = outcome.data
    if data.train is None or data.test is None:
        return data.name
    return f"{data.name}, {data.train:,} training, {data.test:,} test"


def _count(tasks: int | None) -> str:
    return "" if tasks is None else f", {tasks} tasks"


def _training(protocol: dict[str, Any]) -> str:
    passes = "one pass" if protocol["online"] else f"{protocol['epochs']} epochs"
    return (
        f"{passes} for each task, batches of {protocol['batch_size']}, learning rate "
        f"{protocol['learning_rate']:g} ({protocol['schedule']}), "
        f"augmentation: {protocol['augment']}"
    )


def _memory(protocol: dict[str, Any]) -> str:
    if protocol["memory_per_class"] is not None:
        return f"{protocol['memory_per_class']:,} exemplars of each class"
    return f"{protocol['memory']:,} exemplars in total, for the methods that keep some"


def _machine(outcome: LearnOutcome) -> list[tuple[str, str]]:
    facts = {**outcome.versions, **outcome.hardware, "started": outcome.started}
    if outcome.seconds is not None:
        facts["took"] = fmt.duration(outcome.seconds)
    return [(key.replace("_", " "), str(value)) for key, value in facts.items() if value]
