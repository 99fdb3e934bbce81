"""The bridge to accelerate, with the real library."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

pytest.importorskip("accelerate")

from accelerate import Accelerator

from didact.bridges.accelerate import AcceleratedTeacher
from didact.losses import kd

pytestmark = pytest.mark.filterwarnings("ignore")  # of accelerate itself


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_a_loop_of_accelerate_with_a_teacher_beside_it(tmp_path: Path, precision: str) -> None:
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=True)
    torch.manual_seed(0)
    accelerator = Accelerator(cpu=True, mixed_precision=precision)
    student, big = nn.Linear(6, 3), nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3))
    teacher = AcceleratedTeacher(accelerator, big)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    optimizer = torch.optim.SGD(student.parameters(), lr=0.5)
    student, optimizer = accelerator.prepare(student, optimizer)
    inputs = torch.randn(32, 6)
    losses = []
    for _ in range(20):
        logits = teacher(inputs)
        assert logits.dtype == torch.float32
        loss = kd(student(inputs), logits)
        accelerator.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    after = teacher.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    accelerator.save_state(str(tmp_path / "state"))
    files = [path.name for path in (tmp_path / "state").iterdir()]
    assert sum(name.startswith("model") for name in files) == 1
