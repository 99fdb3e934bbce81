"""Numbers beside the accuracy matrix, against a plain count of the trained network's answers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.methods.support import data, run, settings_for, watched
from torch import Tensor

from didact._core import digest
from didact.report.learning.figures import most_confused
from didact.report.learning.load import load_outcome, parse_outcome
from didact.report.render import to_html
from didact.train import learn, resume_learning
from didact.train.record.files import write_json

ORDER = (3, 1, 0, 5, 4, 2)
GROUPS = [ORDER[0:2], ORDER[2:4], ORDER[4:6]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tensor, list[int]]:
    """A run folder, the last scores of all test images, and their labels."""
    folder = tmp_path_factory.mktemp("numbers") / "run"
    with watched() as seen:
        run("slda", folder, class_order=ORDER, epochs=3)
    test = data().test
    images = (torch.as_tensor(test.images) - 0.6) / 0.4
    with torch.no_grad():
        scores = seen.methods[-1].eval().predict(images)
    return folder, scores, test.labels.tolist()


def found_in(folder: Path) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((folder / "result.json").read_text())
    (method,) = whole["methods"].values()
    return dict(method)


def test_class_by_class_at_the_end(ran: tuple[Path, Tensor, list[int]]) -> None:
    folder, scores, labels = ran
    taken = [ORDER[column] for column in scores.argmax(1).tolist()]
    own = {c: [t == c for t, y in zip(taken, labels, strict=True) if y == c] for c in ORDER}
    each = [sum(hits) / len(hits) for hits in own.values()]
    assert 0 < min(each) < max(each)
    found = found_in(folder)
    assert found["numbers"]["last_class_balanced"] == pytest.approx([sum(each) / len(each)])
    assert found["numbers"]["last_worst_class"] == pytest.approx([min(each)])
    counts = Counter(zip(labels, taken, strict=True))
    assert found["class_confusion"] == [[[*pair, n] for pair, n in sorted(counts.items())]]


def test_told_the_task_it_chooses_among_its_classes(ran: tuple[Path, Tensor, list[int]]) -> None:
    folder, scores, labels = ran
    hits: dict[int, list[bool]] = {task: [] for task in range(3)}
    for row, label in zip(scores.tolist(), labels, strict=True):
        task = ORDER.index(label) // 2
        best = max((row[2 * task + k], -k) for k in (0, 1))
        hits[task].append(GROUPS[task][-best[1]] == label)
    expected = [sum(one) / len(one) for one in hits.values()]
    found = found_in(folder)
    assert found["task_aware_matrices"][0][-1] == pytest.approx(expected)
    assert found["numbers"]["last_task_aware"] == pytest.approx([sum(expected) / 3])
    rows = found["task_aware_matrices"][0]
    averages = [sum(row[: t + 1]) / (t + 1) for t, row in enumerate(rows)]
    assert found["numbers"]["average_incremental_task_aware"] == pytest.approx([sum(averages) / 3])
    assert all(
        told >= blind
        for told_row, row in zip(rows, found["matrices"][0], strict=True)
        for told, blind in zip(told_row, row, strict=True)
        if blind is not None
    )


def test_forgetting_in_both_definitions(ran: tuple[Path, Tensor, list[int]]) -> None:
    found = found_in(ran[0])
    matrix, numbers = found["matrices"][0], found["numbers"]
    since_learned = [matrix[k][k] - matrix[2][k] for k in (0, 1)]
    assert numbers["forgetting_since_learned"] == pytest.approx([sum(since_learned) / 2])
    since_best = [max(matrix[t][k] for t in range(k, 2)) - matrix[2][k] for k in (0, 1)]
    assert numbers["forgetting"] == pytest.approx([sum(since_best) / 2])


def test_one_seeds_last_accuracy_has_its_interval(ran: tuple[Path, Tensor, list[int]]) -> None:
    folder, scores, labels = ran
    hits = sum(ORDER[c] == y for c, y in zip(scores.argmax(1).tolist(), labels, strict=True))
    (found,) = found_in(folder)["over_images"]["last"]
    p, n, z = hits / len(labels), len(labels), 1.959963984540054
    middle, spread = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    ends = [(middle - spread) / (1 + z * z / n), (middle + spread) / (1 + z * z / n)]
    assert [found["low"], found["high"]] == pytest.approx(ends)
    assert f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}" in to_html(folder)


def test_the_page_says_which_class_is_taken_for_which(
    ran: tuple[Path, Tensor, list[int]],
) -> None:
    folder, scores, labels = ran
    page = to_html(folder)
    first = [ORDER[c] for c, y in zip(scores.argmax(1).tolist(), labels, strict=True) if y == 0]
    share = first.count(0) / len(first)
    assert f"{100 * share:.1f}% of class 0 (a)&#39;s images are taken for class 0 (a)" in page
    for word in ("哪个类别被认作哪个类别", "最终，最差类别", "最终，告知任务", "按类平均"):
        assert word in to_html(folder, "zh")


def test_many_classes_are_shown_by_the_pairs_confused_most(
    ran: tuple[Path, Tensor, list[int]],
) -> None:
    whole = json.loads((ran[0] / "result.json").read_text())
    method = whole["methods"]["slda"]
    method["class_confusion"] = [[[k, k, 8] for k in range(40)] + [[5, 7, 2], [9, 1, 12]]]
    outcome = parse_outcome(whole)
    found = most_confused(outcome.methods["slda"], outcome)
    assert found == [["9", "1 (b)", "60.0"], ["5 (f)", "7", "20.0"]]


@pytest.mark.parametrize(
    "stream",
    [
        {"scenario": "domain", "domains": "groups", "groups": ((0, 1), (2, 3)), "step": None},
        {"scenario": "task"},
    ],
)
def test_where_the_task_is_told_or_there_is_none_nothing_is_told_beside(
    stream: dict[str, Any], tmp_path: Path
) -> None:
    run("finetune", tmp_path / "run", epochs=1, **stream)
    found = found_in(tmp_path / "run")
    assert found["task_aware_matrices"] == [None]
    assert "last_task_aware" not in found["numbers"]
    assert sum(count for *_, count in found["class_confusion"][0]) == sum(
        entry["test"] for entry in found["per_class"][0]
    )
    assert "task told" not in to_html(tmp_path / "run")


def test_a_run_of_before_these_numbers_goes_on_and_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    learn(output=folder, **settings_for("finetune", epochs=1))
    (path,) = folder.glob("cells/*/cell.json")
    cell = json.loads(path.read_text())
    for name in ("task_aware_matrix", "class_confusion"):
        del cell[name]
    write_json(path, {key: value for key, value in cell.items() if key != digest.KEY})
    monkeypatch.setattr("didact.train.loop.data.DataReader.__call__", lambda *_: data())
    resume_learning(folder, seeds=(0, 1))
    numbers = load_outcome(folder).methods["finetune"].numbers
    assert len(numbers["last_class_balanced"]) == 2
    assert "last_task_aware" not in numbers
    assert "<html" in to_html(folder)
