"""The old model's logits in bfloat16 come from a copy with its batch norms folded."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import torch
from tests.methods.support import assert_same, crash_and_resume, final_tensors, run
from torch import Tensor, nn

from didact.methods.kit import base as _base
from didact.methods.kit.folded import folded, in_bfloat16
from didact.nn import Teacher, build_model

IMAGES = torch.randn(6, 1, 6, 6, generator=torch.Generator().manual_seed(0))
BF16 = {"precision": "bf16-mixed", "channels_last": True, "augment": "crop-flip"}


class Outside(nn.Module):
    """Uses a convolution's output where no module shows it, so that a fold would change it."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3)
        nn.init.constant_(self.norm.weight, 2.0)

    def forward(self, images: Tensor) -> Tensor:
        found = self.convolution(images)
        return (self.norm(found) + found).mean((2, 3))


def old_model() -> nn.Module:
    model = build_model("cnn-4", image_shape=(1, 6, 6), num_classes=4)
    for _ in range(3):
        model(torch.randn(16, 1, 6, 6))
    return model


def norms(module: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


def test_the_copy_gives_the_logits_and_the_teacher_stays() -> None:
    torch.manual_seed(0)
    teacher = Teacher(old_model())
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    with torch.autocast("cpu", torch.bfloat16):
        quick = folded(teacher, IMAGES)
    assert (norms(teacher), norms(quick)) == (3, 0)
    torch.testing.assert_close(quick(IMAGES), teacher(IMAGES), rtol=1e-4, atol=1e-5)
    assert_same(before, dict(teacher.state_dict()))


@pytest.mark.parametrize("model", [Outside(), nn.Sequential(nn.Flatten(), nn.Linear(36, 4))])
def test_what_cannot_be_folded_stays_the_teacher(model: nn.Module) -> None:
    teacher = Teacher(model)
    assert folded(teacher, IMAGES) is teacher


def test_where_it_is_used() -> None:
    assert not in_bfloat16(IMAGES)
    with torch.autocast("cpu", torch.bfloat16):
        assert in_bfloat16(IMAGES)
    with torch.autocast("cpu", torch.float16):
        assert not in_bfloat16(IMAGES)


@pytest.mark.parametrize(("changes", "times"), [(BF16, 2), ({}, 0)])
def test_a_run_folds_each_teacher_once(tmp_path: Path, changes: dict[str, Any], times: int) -> None:
    made: list[Teacher] = []

    def noting(teacher: Teacher, images: Tensor) -> Teacher:
        made.append(teacher)
        return folded(teacher, images)

    with patch.object(_base, "folded", noting):
        tensors = run("lwf", tmp_path / "run", **changes)
    assert len(made) == times
    # what a run keeps is the teacher as it was
    assert any("teacher" in name and "running_mean" in name for name in tensors)


def test_a_run_in_bfloat16_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    expected = run("icarl", tmp_path / "whole", **BF16)
    for at in (11, 19, 24):
        assert crash_and_resume("icarl", tmp_path / str(at), at, **BF16)
        assert_same(expected, final_tensors(tmp_path / str(at)))
