"""Models on the same test images: the counts are those of the answers, whatever the page says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.report.support import full_run, make_result

from didact._core.errors import RunFolderError
from didact.report import compare, comparison_json, comparison_markdown, render
from didact.report.distilling.images import on_images, same_images
from didact.train.record.result import Predictions, Result

LABELS = [0, 1, 1, 1, 2, 1]
ANSWERS = {
    ("teacher", 0): [0, 1, 1, 1, 2, 1],
    ("teacher", 1): [0, 1, 1, 1, 2, 0],
    ("alone", 0): [0, 1, 0, 0, 0, 1],
    ("alone", 1): [0, 0, 1, 0, 0, 1],
    ("distilled", 0): [1, 1, 1, 1, 2, 1],
    ("distilled", 1): [0, 1, 1, 1, 2, 1],
}


def predictions(**changes: object) -> dict[str, object]:
    arms = [
        {"arm": arm, "seed": seed, "predicted": answers, "probability": [0.5] * len(answers)}
        for (arm, seed), answers in ANSWERS.items()
    ]
    return {"labels": LABELS, "arms": arms} | changes


def run(folder: Path, **changes: object) -> Path:
    full_run(folder, seeds=2)
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(result | {"student_seed": 0}))
    (folder / "predictions.json").write_text(json.dumps(predictions(**changes)))
    return folder


def test_the_counts_are_those_of_the_answers():
    result = Result.model_validate(make_result(seeds=2) | {"student_seed": 0})
    found = on_images(result, Predictions.model_validate(predictions()))
    assert found.seed == 0
    assert found.majority == (1, pytest.approx(4 / 6))
    assert (found.students.only_a, found.students.only_b) == (3, 1)
    assert found.students.p_value == pytest.approx(0.625)
    by_arm = {one.arm: one for one in found.models}
    assert by_arm["alone"].interval.mean == pytest.approx(3 / 6)
    assert by_arm["alone"].vote == pytest.approx(2 / 6)  # a tie goes to the lower class
    assert by_arm["distilled"].interval.low < 5 / 6 < by_arm["distilled"].interval.high


def test_other_images_are_not_compared():
    first = Predictions.model_validate(predictions())
    other = Predictions.model_validate(predictions(labels=[0, 1, 1, 1, 2, 2]))
    assert same_images(first, 0, other, 0, "alone") is None
    assert same_images(first, 0, first, 7, "alone") is None
    found = same_images(first, 0, first, 1, "distilled")
    assert (found.only_a, found.only_b) == (1, 0)


def test_the_page_and_the_comparison_say_so(tmp_path):
    folders = [run(tmp_path / name) for name in ("a", "b")]
    page = render(folders[0]).read_text("utf-8")
    assert "On the same images" in page
    assert "right on 3 and the student trained alone on 1" in page
    assert "Wilson" in page
    found = compare(folders)
    assert comparison_json(found)["runs"][1]["images"]["p_value"] == 1.0
    assert "McNemar" in comparison_markdown(found)
    assert comparison_json(compare(folders, metric="nll"))["runs"][1]["images"] is None


def test_a_run_of_before_answers_were_kept_is_read(tmp_path):
    folder = full_run(tmp_path / "old")
    assert "On the same images" not in render(folder).read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "damaged"),
        ('{"labels": [], "arms": []}', "labels"),
        (json.dumps(predictions(labels=[0, 1])), "6 answers for 2 images"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content, says):
    folder = run(tmp_path / "run")
    (folder / "predictions.json").write_text(content)
    with pytest.raises(RunFolderError, match=rf"predictions\.json.*{says}"):
        render(folder)
