"""The bridge to Lightning, with the real library: no checkpoint holds the teacher."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

pl = pytest.importorskip("lightning.pytorch" if find_spec("lightning") else "pytorch_lightning")

from didact.bridges.lightning import Distillation  # noqa: E402 - it wants the library

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning advises of workers and loggers


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))


def loader() -> DataLoader[tuple[torch.Tensor, ...]]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(64, 6, generator=generator)
    return DataLoader(TensorDataset(inputs, inputs[:, :3].argmax(dim=1)), batch_size=16)


def trainer(folder: Path, epochs: int) -> Any:
    return pl.Trainer(
        max_epochs=epochs, accelerator="cpu", default_root_dir=folder, logger=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip


def test_the_student_learns_the_teacher_stays_and_is_in_no_checkpoint(tmp_path: Path) -> None:
    torch.manual_seed(0)
    teacher = net()
    teacher(torch.randn(64, 6))
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    module = Distillation(net(), teacher, weight=0.5)
    start = {name: value.clone() for name, value in module.state_dict().items()}
    fitted = trainer(tmp_path, 2)
    fitted.fit(module, loader(), loader())
    assert any(not torch.equal(value, start[name]) for name, value in module.state_dict().items())
    kept = module._teacher[0].model.state_dict()
    assert all(torch.equal(value, before[name]) for name, value in kept.items())
    assert "validation_accuracy" in fitted.callback_metrics
    (path,) = tmp_path.rglob("*.ckpt")
    state = torch.load(path, weights_only=True)["state_dict"]
    assert set(state) == {f"student.{name}" for name in before}


def test_a_checkpoint_goes_on(tmp_path: Path) -> None:
    torch.manual_seed(0)
    teacher = net().eval()
    first = Distillation(net(), teacher)
    trainer(tmp_path, 1).fit(first, loader())
    (path,) = tmp_path.rglob("*.ckpt")
    again = Distillation(net(), teacher)
    fitted = trainer(tmp_path / "more", 2)
    fitted.fit(again, loader(), ckpt_path=path, weights_only=False)
    assert fitted.current_epoch == 2
