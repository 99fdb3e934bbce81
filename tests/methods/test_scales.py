"""Scales that decide whether a method learns: a margin's, a class weight's, a temperature's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.methods.support import run, stripes, watched

from didact import losses
from didact.data import Memory, Split, Task
from didact.methods import METHODS, Method, Moment, Setting, Stage
from didact.methods.foster import effective_weights
from didact.nn import build_model


def built(name: str, memory: Memory, **options: Any) -> Method:
    """A method before its first task."""
    setting = Setting(
        build_network=lambda n: build_model("mlp-8", image_shape=(1, 6, 6), num_classes=n),
        seed=0,
        epochs=1,
        batch_size=8,
        mean=(0.5,),
        std=(0.5,),
    )
    entry = METHODS[name]
    return entry.method(entry.method.Options(**options), setting, memory)


def test_the_margin_of_podnet_does_not_hold_its_scale_down(tmp_path: Path) -> None:
    with watched() as seen:
        run("podnet", tmp_path / "run", epochs=6)
    assert float(seen.networks[0]["classifier.scale"]) > 1.1


def test_foster_counts_relative_to_the_largest_class() -> None:
    method = built("foster", Memory(total=0))
    labels = torch.tensor([0] * 60 + [1] * 10)
    split = Split(torch.rand(70, 1, 6, 6), labels)
    method.grow(Task(0, (0, 1), (0, 1), 0, 2, split))
    method.task = Task(0, (0, 1), (0, 1), 0, 2, split)
    method.stage = Stage("boosting", split)
    found = method._weights(0.97)  # type: ignore[operator]
    expected = effective_weights(torch.tensor([500.0, 500 / 6]), 0.97)
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_the_distillation_of_ssil_has_the_square_of_the_temperature() -> None:
    method = built("ssil", Memory(total=0), temperature=3.0)
    first, second = stripes(12, 0), stripes(12, 1)
    method.grow(Task(0, (0, 1), (0, 1), 0, 2, first))
    task = Task(1, (2, 3), (2, 3), 2, 4, second)
    method.grow(task)
    method.task, method.stage = task, Stage("train", second)
    method.moment = Moment(1, "train", 0, 0)
    batch = next(iter(method.iterate(second)))._replace(labels=torch.arange(12) % 2 + 2)
    with torch.no_grad():
        method.network.classifier.weight.mul_(-1.0)  # type: ignore[union-attr, operator]
        found = method.losses(batch)["distillation"]
        now, before = method.logits(batch.images)[:, :2], method.teacher_logits(batch)
        expected = losses.kd(now, before, temperature=3.0)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert found.item() > 0.01


def test_the_classifier_of_der_has_a_schedule_of_its_own(tmp_path: Path) -> None:
    run("der", tmp_path / "run", schedule="cosine")
    (path,) = tmp_path.glob("run/cells/*/metrics.jsonl")
    rows = [row for line in path.read_text().splitlines() if "stage" in (row := json.loads(line))]
    rates = {
        stage: [row["learning_rate"] for row in rows if row["stage"] == stage and row["task"] == 2]
        for stage in ("train", "classifier")
    }
    assert rates["train"] == pytest.approx([0.025, 0.0])
    assert rates["classifier"] == pytest.approx([0.005, 0.005])
