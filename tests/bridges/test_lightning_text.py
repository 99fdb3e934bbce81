"""A language model in Lightning, with the real library: the update is that of the whole step."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.lm.teaching import CLASSES, Model, rows
from torch import Tensor
from torch.utils.data import DataLoader

pl = pytest.importorskip("lightning.pytorch" if find_spec("lightning") else "pytorch_lightning")

from didact.bridges.lightning_text import TextDistillation  # noqa: E402 - it wants the library
from didact.lm import Objective, TeacherCache  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning advises of workers and loggers


def data() -> list[dict[str, Tensor]]:
    ids, lengths = rows(8), torch.tensor([8, 2, 5, 8, 3, 6, 4, 7])[:, None]
    labels = ids.masked_fill(torch.arange(8) >= lengths, -100)
    return [{"input_ids": a, "labels": b} for a, b in zip(ids, labels, strict=True)]


def update(place: Path, size: int, teacher: Any, **options: Any) -> Tensor:
    module = TextDistillation(
        Model(2).eval(), teacher, optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.5)
    )
    before = torch.cat([p.detach().flatten().clone() for p in module.student.parameters()])
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", default_root_dir=place, logger=False,
        accumulate_grad_batches=8 // size, enable_progress_bar=False, enable_model_summary=False,
        **options,
    )  # fmt: skip
    trainer.fit(module, DataLoader(data(), batch_size=size), DataLoader(data()[:2], batch_size=2))
    assert {"label", "distillation", "validation_loss"} <= set(trainer.callback_metrics)
    return torch.cat([p.detach().flatten() for p in module.student.parameters()]) - before


def test_the_update_is_that_of_the_whole_step_however_it_is_split(tmp_path: Path) -> None:
    student, teacher = Model(2).eval(), Model(1)
    batch = {name: torch.stack([row[name] for row in data()]) for name in ("input_ids", "labels")}
    Objective(teacher)(student, batch).loss.backward()
    grads = [p.grad.flatten() for p in student.parameters() if p.grad is not None]
    cache = TeacherCache.build(tmp_path / "c", teacher, rows(8), k=CLASSES)
    expected = -0.5 * torch.cat(grads)
    for size, source in ((8, teacher), (2, teacher), (1, cache)):
        found = update(tmp_path, size, source)
        assert (found - expected).norm() < 1e-5 * expected.norm(), size
    clipped = update(tmp_path, 2, teacher, gradient_clip_val=0.01)
    assert clipped.norm() == pytest.approx(0.005, rel=1e-3)
    (path, *_) = tmp_path.rglob("*.ckpt")
    state = torch.load(path, weights_only=True)["state_dict"]
    assert {name.split(".")[0] for name in state} == {"student"}
