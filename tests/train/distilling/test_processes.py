"""Two processes, and one that computes a step in parts, equal one process with the whole batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.distilling.support import QUICK, plain_model, small_data
from torch import Tensor

from didact.train import distill

SETTINGS: dict[str, Any] = {**QUICK, "epochs": 3, "batch_size": 20, "kd_weight": 0.5}


def trained(folder: Path, labelled: Tensor | None, **changes: Any) -> dict[str, Tensor]:
    result = distill(
        student=plain_model,
        teacher=plain_model,
        data=small_data(labelled=labelled),  # 48 samples: the last batch of 20 is short
        output=folder,
        **{**SETTINGS, **changes},
    )
    return result.student.state_dict()


@pytest.fixture(scope="module", params=["all labelled", "a few labelled"])
def labelled(request: pytest.FixtureRequest) -> Tensor | None:
    if request.param == "all labelled":
        return None
    mask = torch.zeros(48, dtype=torch.bool)
    mask[:7] = True
    return mask


def test_accumulation_equals_one_pass(tmp_path: Path, labelled: Tensor | None) -> None:
    whole = trained(tmp_path / "whole", labelled)
    for parts in (2, 5):
        split = trained(tmp_path / f"parts-{parts}", labelled, accumulate=parts)
        for name in whole:
            torch.testing.assert_close(split[name], whole[name], rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path: Path, labelled: Tensor | None) -> None:
    whole = trained(tmp_path / "whole", labelled)
    two = trained(tmp_path / "two", labelled, devices=2)
    for name in whole:
        torch.testing.assert_close(two[name], whole[name], rtol=1e-4, atol=1e-6)
    rows = (tmp_path / "two" / "metrics.jsonl").read_text().splitlines()
    assert len(rows) == len((tmp_path / "whole" / "metrics.jsonl").read_text().splitlines())
