"""Quartiles, outlying seeds and rare errors on the page are those of the numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.report.support import full_run, make_result

from didact.report.distilling.spread import class_errors, over_seeds
from didact.report.render import to_html
from didact.train.record.result import Predictions, Result


def result(accuracies: list[float]) -> Result:
    made = make_result(seeds=len(accuracies)) | {"student_seed": 0}
    made["arms"]["alone"]["test_accuracy"] = accuracies
    return Result.model_validate(made)


def test_an_outlying_seed_is_named_and_does_not_move_the_median() -> None:
    lines = over_seeds(result([0.91, 0.92, 0.90, 0.91, 0.11]))
    alone = next(line for line in lines if line.arm == "alone")
    assert (alone.median, alone.quartiles, alone.iqr) == ("91.00", "90.00 to 91.00", "1.00")
    assert (alone.extremes, alone.outlying) == ("11.00 to 92.00", "4")
    assert over_seeds(result([0.91, 0.92, 0.11])) == [], "three seeds have no quartiles"


def test_no_error_among_265_is_below_113_in_ten_thousand() -> None:
    labels = [0] * 265 + [1] * 100
    predicted = [0] * 265 + [1] * 96 + [0] * 3 + [2]
    answers = {"arm": "distilled", "seed": 0, "predicted": predicted, "probability": [1.0] * 365}
    predictions = Predictions.model_validate({"labels": labels, "arms": [answers]})
    none, four = class_errors(result([0.9] * 4), predictions, "distilled")
    assert (none.images, none.wrong, none.limits, none.taken_for) == (265, 0, "below 1.13%", "–")
    assert (four.images, four.wrong, four.taken_for) == (100, 4, "0 (3)")
    assert four.limits == "1.09 to 10.24%"  # Garwood: 1.0899 and 10.2416 for 4 counts
    assert class_errors(result([0.9] * 4), predictions, "teacher") == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_says_when_to_read_them(tmp_path: Path, language: str) -> None:
    folder = full_run(tmp_path / "run", seeds=5)
    labels = [index % 10 for index in range(360)]
    arms = [
        {"arm": arm, "seed": seed, "predicted": labels, "probability": [0.5] * 360}
        for arm in ("alone", "distilled")
        for seed in range(5)
    ]
    (folder / "predictions.json").write_text(json.dumps({"labels": labels, "arms": arms}))
    html = to_html(folder, "zh" if language == "zh" else "en")
    for said in {
        "en": [
            "How the seeds spread",
            "Read the median where",
            "below 8.32%",
            "the commonest class",
        ],
        "zh": ["种子之间的离散程度", "看中位数", "低于 8.32%", "最常见的类别"],
    }[language]:
        assert said in html
