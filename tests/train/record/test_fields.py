"""What is measured has a field: a number without one would vanish from ``result.json``."""

from __future__ import annotations

import pytest
import torch

from didact.train.distilling.tasks import TASKS
from didact.train.record.result import ArmNumbers, Row


@pytest.mark.parametrize("name", list(TASKS))
@pytest.mark.parametrize("split", ["test", "validation"])
def test_every_measured_number_has_a_field(name: str, split: str) -> None:
    logits = torch.eye(3)
    targets = torch.tensor([0, 1, 2]) if name == "single-label" else torch.eye(3)
    task = TASKS[name]
    numbers = task.numbers(logits, targets, logits, split)
    missing = set(numbers) - set(ArmNumbers.model_fields)
    assert not missing, f"give {sorted(missing)} a field in ArmNumbers of train/record/result.py"
    assert task.metric_on(split) in numbers
    missing = set(task.validated(logits, targets)) - set(Row.model_fields)
    assert not missing, f"give {sorted(missing)} a field in Row of train/record/result.py"
