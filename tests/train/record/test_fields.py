"""What is measured has a field: a number without one would vanish from ``result.json``."""

from __future__ import annotations

import torch

from didact.train.loop.evaluate import score
from didact.train.record.result import ArmNumbers


def test_every_measured_number_has_a_field() -> None:
    logits, labels = torch.eye(3), torch.tensor([0, 1, 2])
    missing = set(score(logits, labels, logits)) - set(ArmNumbers.model_fields)
    assert not missing, f"give {sorted(missing)} a field in ArmNumbers of train/record/result.py"
