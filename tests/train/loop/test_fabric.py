"""Devices that are not there, and gradients that are no numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.train.learning.support import SETTINGS, plain_network, small_data

from didact._core.errors import NonFiniteError, UsageError
from didact.train import learn
from didact.train.loop.fabric import make_fabric


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="cannot use 1 x cuda"):
        make_fabric(accelerator="cuda", devices=1, precision="32-true")


def test_gradients_that_are_not_finite_end_a_clipped_run_with_a_reason(tmp_path: Path) -> None:
    settings = {**SETTINGS, "learning_rate": 1e38, "clip_norm": 1.0}
    with pytest.raises(NonFiniteError, match="the last good checkpoint is kept"):
        learn(
            data=small_data(),
            model=plain_network,
            method="lwf",
            output=tmp_path / "run",
            **settings,
        )
