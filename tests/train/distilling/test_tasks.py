"""Labels of every kind, tables, mixing, weights and sampling: trained, judged, refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.train.distilling.support import QUICK
from torch import Tensor, nn

from didact import metrics
from didact._core.errors import DataError, ModelError, UsageError
from didact.data import Data, Mixing, Split, load
from didact.nn import OwnUnits
from didact.report import evidence_table, render, verdict
from didact.train import DistillSettings, distill, resume
from didact.train.distilling.objective import DistillationObjective, DistillationTerm, StepOutputs
from didact.train.distilling.ramp import Ramp
from didact.train.distilling.tasks import (
    TASKS,
    LabelLoss,
    class_weights,
    label_loss_of,
    sampling_of,
)

TABLE = {**QUICK, "student": "mlp-4", "teacher": "mlp-32", "epochs": 6, "learning_rate": 0.1}


def rows(count: int = 400) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(3.0, 2.0, size=(count, 5)).astype(np.float32)


def table(folder: Path, kind: str) -> str:
    x = rows()
    centred = (x - 3.0) / 2.0
    y: Any = {
        "regression": 5000 + 700 * np.tanh(centred[:, 0] + centred[:, 1]),
        "multi-label": centred[:, :3] > 0,
        "single-label": np.argmax(centred[:, :3], axis=1),
        "soft-label": np.exp(2 * centred[:, :3])
        / np.exp(2 * centred[:, :3]).sum(axis=1, keepdims=True),
    }[kind]
    np.savez(folder / "table.npz", x=x, y=y)
    return f"npz:{folder / 'table.npz'}"


@pytest.mark.parametrize("kind", list(TASKS))
def test_every_task_is_found_out_distilled_judged_and_reported(tmp_path: Path, kind: str) -> None:
    result = distill(data=table(tmp_path, kind), output=tmp_path / "run", **TABLE)
    task = TASKS[kind]
    settings = (tmp_path / "run" / "run.toml").read_text()
    assert f'task = "{kind}"' in settings
    assert f'"{task.default_loss}"' in settings
    assert result.summary["task"] == kind
    assert result.summary["metric"] == task.metric
    arms = result.summary["arms"]
    outputs = result.student(_normalised(kind, tmp_path, "test")).detach()
    targets = load(table(tmp_path, kind)).test.labels
    assert arms["distilled"][task.metric][0] == pytest.approx(
        float(task.score(outputs, targets)[task.metric]), abs=1e-6
    )
    worst = {"regression": 500.0}.get(kind, 0.6)
    reached = arms["teacher"][task.metric][0]
    assert reached < worst if not task.higher_is_better else reached > worst
    difference = arms["distilled"][task.metric][0] - arms["alone"][task.metric][0]
    assert result.gain == pytest.approx(difference if task.higher_is_better else -difference)
    assert result.summary["paired"]["mean"] == pytest.approx(difference)
    assert task.metric_on("validation") in result.validation["distilled"]
    assert result.validation_gain is not None
    assert verdict(result.summary)
    evidence_table(result.summary)
    page = render(tmp_path / "run").read_text()
    assert "on the test split" in page
    row = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[0])
    assert any(name.startswith("validation_") for name in row)


def _normalised(kind: str, folder: Path, part: str) -> Tensor:
    data = load(table(folder, kind), seed=0)
    images = getattr(data, part).images
    return (images - torch.tensor(data.mean)) / torch.tensor(data.std)


def test_a_student_of_numbers_is_a_teacher_in_the_units_of_the_data(tmp_path: Path) -> None:
    data = table(tmp_path, "regression")
    first = distill(data=data, output=tmp_path / "first", **TABLE | {"arms": ("teacher",)})
    again = distill(data=data, teacher=str(tmp_path / "first"), output=tmp_path / "b",
                    accept_teacher=True,
                    **{k: v for k, v in TABLE.items() if k != "teacher"})  # fmt: skip
    mine, theirs = (r.summary["arms"]["teacher"]["mae"][0] for r in (first, again))
    assert theirs == pytest.approx(mine, rel=1e-5)
    assert isinstance(first.student, OwnUnits)


def test_a_teacher_from_elsewhere_answers_in_units_of_the_data(tmp_path: Path) -> None:
    def knows(inputs: Tensor) -> Tensor:
        return 5000 + 700 * torch.tanh(((inputs[:, :2] - 3) / 2).sum(dim=1, keepdim=True))

    rest = {k: v for k, v in TABLE.items() if k != "teacher"}
    data = table(tmp_path, "regression")
    result = distill(data=data, teacher=knows, output=tmp_path / "run", **rest)
    assert result.summary["arms"]["teacher"]["mae"][0] == pytest.approx(0.0, abs=0.01)
    assert result.summary["models"]["teacher"][0]["name"] == "knows"

    def useless(inputs: Tensor) -> Tensor:
        return 5000 + 10 * inputs[:, 3:4]

    with pytest.raises(ModelError, match="of the variance"):
        distill(data=data, teacher=useless, output=tmp_path / "other", **rest)


@pytest.mark.parametrize(
    ("kind", "loss", "word"),
    [
        ("regression", "kd", "mse_logits"),
        ("multi-label", "dist", "binary_kd"),
        ("soft-label", "cross_entropy_and_kd", "one class"),
    ],
)
def test_a_loss_without_meaning_for_the_task_is_refused(
    tmp_path: Path, kind: str, loss: str, word: str
) -> None:
    with pytest.raises(UsageError, match=word):
        distill(data=table(tmp_path, kind), loss=loss, output=tmp_path / "run", **TABLE)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"task": "multi-label"}, "task is multi-label"),
        ({"class_weight": (1.0, 2.0)}, "2 numbers"),
        ({"cutmix": 1.0}, "table"),
        ({"augment": "flip"}, "table"),
        ({"resize": 8}, "table"),
        ({"student": "cnn-8"}, "table"),
        ({"mixup": 0.2, "loss": "cross_entropy_and_kd"}, "mixup"),
    ],
)
def test_what_does_not_go_with_a_table_of_classes_is_one_sentence(
    tmp_path: Path, settings: dict[str, Any], word: str
) -> None:
    with pytest.raises((UsageError, DataError, ModelError), match=word):
        distill(data=table(tmp_path, "single-label"), output=tmp_path / "run", **TABLE | settings)


def test_whole_numbers_can_be_predicted_too(tmp_path: Path) -> None:
    x = rows()
    np.savez(tmp_path / "years.npz", x=x, y=(1900 + 10 * x[:, 0]).astype(int))
    with pytest.raises(DataError, match="--task regression"):
        distill(data=f"npz:{tmp_path / 'years.npz'}", output=tmp_path / "a", **TABLE)
    result = distill(
        data=f"npz:{tmp_path / 'years.npz'}", task="regression", output=tmp_path / "run", **TABLE
    )
    assert result.summary["arms"]["teacher"]["r2"][0] > 0.5


def objective(kind: str, **rest: Any) -> DistillationObjective:
    term = DistillationTerm("none", lambda student_logits: student_logits.sum() * 0, 1.0,
                            {"student_logits": "student_logits"}, {})  # fmt: skip
    return DistillationObjective(
        [term], Ramp(0.5), Ramp(1.0), 0.0, "probs", [1.0], LabelLoss(TASKS[kind], **rest)
    )


def test_the_loss_on_labels_against_torch() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(6, 3, generator=generator)
    zeros = (torch.rand(6, 3, generator=generator) > 0.5).float()
    soft = torch.softmax(torch.randn(6, 3, generator=generator), dim=1)
    weights = torch.tensor([0.5, 1.0, 2.0])
    for kind, labels, given, expected in (
        ("multi-label", zeros, {}, F.binary_cross_entropy_with_logits(outputs, zeros)),
        ("soft-label", soft, {}, F.cross_entropy(outputs, soft)),
        ("regression", soft, {}, F.mse_loss(outputs, soft)),
        (
            "multi-label",
            zeros,
            {"weights": weights},
            F.binary_cross_entropy_with_logits(outputs, zeros, pos_weight=weights),
        ),
        ("soft-label", soft, {"weights": weights}, F.cross_entropy(outputs, soft, weight=weights)),
    ):
        found = objective(kind, **given)(StepOutputs(outputs, [outputs], labels), 0.0)["label"]
        assert float(found) == pytest.approx(0.5 * float(expected), rel=1e-6), kind


def test_samples_without_labels_have_no_part_in_the_loss() -> None:
    outputs, labels = torch.randn(4, 2), torch.rand(4, 2)
    labels[1:3] = float("nan")
    found = objective("regression")(StepOutputs(outputs, [outputs], labels), 0.0)["label"]
    kept = torch.tensor([0, 3])
    assert float(found) == pytest.approx(0.5 * float(F.mse_loss(outputs[kept], labels[kept])))


def uneven() -> Data:
    labels = torch.tensor([0] * 80 + [1] * 20)
    images = torch.zeros(100, 1, 2, 2, dtype=torch.uint8)
    images[:, 0, 0, 0] = labels.to(torch.uint8) * 200
    split = Split(images, labels)
    return Data("uneven", split, split, split, ("a", "b"), (0.1,), (0.1,), torch.ones(100).bool())


def test_balanced_weights_and_sampling_make_classes_count_alike() -> None:
    data = uneven()
    weights = class_weights(data, "balanced")
    assert weights is not None
    assert weights.tolist() == pytest.approx([0.625, 2.5])
    given = class_weights(data, (1.0, 5.0))
    assert given is not None
    assert float(given[1] / given[0]) == pytest.approx(5.0)
    assert float((given * torch.tensor([0.8, 0.2])).sum()) == pytest.approx(1.0)
    sampling = sampling_of(data, data.train.labels, "balanced")
    assert sampling is not None
    assert float(sampling[data.train.labels == 0].sum()) == pytest.approx(
        float(sampling[data.train.labels == 1].sum())
    )
    assert sampling_of(data, data.train.labels, "shuffled") is None
    assert label_loss_of(data, None).weights is None


def test_several_teachers_stand_for_one_by_their_probabilities() -> None:
    first, second = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.0, 3.0]])
    mixed = TASKS["multi-label"].combine([first, second], [0.25, 0.75], 2.0)
    wanted = 0.25 * torch.sigmoid(first / 2) + 0.75 * torch.sigmoid(second / 2)
    assert torch.allclose(torch.sigmoid(mixed / 2), wanted)
    mean = TASKS["regression"].combine([first, second], [0.25, 0.75], 2.0)
    assert torch.allclose(mean, 0.25 * first + 0.75 * second)


@pytest.mark.parametrize(
    "settings",
    [
        {"mixup": 0.4, "labelled": 0.5},
        {"cutmix": 1.0, "mixup": 0.2, "augment": "crop-flip"},
        {"class_weight": "balanced", "sampling": "balanced", "accumulate": 2},
    ],
)
def test_mixing_and_balance_train_and_go_on_to_the_same_bits(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    given = {**QUICK, "student": "mlp-8", "teacher": "mlp-16", "batch_size": 32, **settings}
    whole = distill(output=tmp_path / "whole", **given)
    distill(output=tmp_path / "part", **given)
    run = tmp_path / "part"
    (run / "result.json").unlink()
    (run / "checkpoint" / "distilled.0.done").unlink()
    again = resume(run)
    for name, value in whole.student.state_dict().items():
        assert torch.equal(value, again.student.state_dict()[name])
    assert (
        again.summary["arms"]["distilled"]["test_accuracy"]
        == (whole.summary["arms"]["distilled"]["test_accuracy"])
    )


def test_evaluated_on_validation_the_test_split_is_not_looked_at(tmp_path: Path) -> None:
    given: dict[str, Any] = {**QUICK, "student": "mlp-8", "teacher": "mlp-16"}
    result = distill(output=tmp_path / "run", evaluate_on="validation", **given)
    assert result.summary["evaluated_on"] == "validation"
    arms = result.summary["arms"]["distilled"]
    assert "test_accuracy" not in arms
    assert arms["validation_accuracy"] == result.validation["distilled"]["validation_accuracy"]
    assert result.gain == result.validation_gain
    assert "validation split" in render(tmp_path / "run").read_text()
    rows = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    last = [json.loads(row) for row in rows if '"distilled"' in row][-1]
    assert last["validation_accuracy"] == pytest.approx(arms["validation_accuracy"][0])


def test_the_settings_refuse_what_is_no_task() -> None:
    with pytest.raises(UsageError, match="task"):
        DistillSettings.build(task="detection")


def test_mixup_in_a_plain_loop_of_batches() -> None:
    plan = Mixing(mixup=0.5).draw(torch.arange(6), (1, 2, 2), 0, 0)
    own, others = torch.zeros(6, 1, 2, 2), torch.ones(6, 1, 2, 2)
    mixed = plan.images(own, others, 0, 6)
    assert torch.allclose(mixed[:, 0, 0, 0], 1 - plan.share)


def test_a_user_s_module_for_a_table_is_given_rows(tmp_path: Path) -> None:
    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(5, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            assert inputs.shape[1:] == (5,)
            answer: Tensor = self.layer(inputs)
            return answer

    rest = {k: v for k, v in TABLE.items() if k != "student"}
    result = distill(
        data=table(tmp_path, "single-label"), student=Rows, output=tmp_path / "run", **rest
    )
    assert metrics.accuracy(
        result.student(_normalised("single-label", tmp_path, "test")),
        load(table(tmp_path, "single-label")).test.labels,
    ) == pytest.approx(result.summary["arms"]["distilled"]["test_accuracy"][0])
