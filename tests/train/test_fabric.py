"""One process on one device goes without Lightning's Fabric, and finds what Fabric finds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import lightning_fabric
import pytest
import torch
from tests.train.learn_support import SETTINGS, plain_network, small_data
from torch import nn, optim

from didact._core.errors import NonFiniteError, UsageError
from didact.train import learn
from didact.train.loop import optimizers as _optimizers
from didact.train.loop.fabric import OneDevice, make_fabric

RUN = """
import sys
from didact.train import learn
learn(output={folder!r}, data="digits", method="lwf", step=5, epochs=1, accelerator="cpu")
for heavy in ("torch._dynamo", "lightning_fabric"):
    assert heavy not in sys.modules, heavy
"""


def test_a_run_does_not_import_the_compiler(tmp_path: Path) -> None:
    script = RUN.format(folder=str(tmp_path / "run"))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=240
    )
    assert not done.returncode, done.stderr


def test_the_lightest_that_can_serve() -> None:
    assert isinstance(make_fabric(accelerator="cpu", devices=1, precision="32-true"), OneDevice)
    for more in ({"precision": "bf16-mixed"}, {"devices": 2}):
        wanted: dict[str, Any] = {
            "accelerator": "cpu",
            "devices": 1,
            "precision": "32-true",
            **more,
        }
        assert isinstance(make_fabric(**wanted), lightning_fabric.Fabric)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="cannot use 1 x cuda"):
        make_fabric(accelerator="cuda", devices=1, precision="32-true")


@pytest.mark.parametrize("clip_norm", [None, 0.3])
def test_fabric_finds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip_norm: float | None
) -> None:
    """Whole runs, bit for bit, by our one device and by the whole Fabric."""
    found = []
    for number, whole in enumerate((False, True)):
        if whole:
            monkeypatch.setattr("didact.train.loop.fabric._device", lambda _: None)
        result = learn(
            data=small_data(),
            model=plain_network,
            method="icarl",
            clip_norm=clip_norm,
            output=tmp_path / str(number),
            **SETTINGS,
        )
        found.append(result.learner("icarl").state_dict())
    assert found[0].keys() == found[1].keys()
    for name, tensor in found[0].items():
        assert torch.equal(tensor, found[1][name]), name


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_the_optimisers_are_those_of_pytorch(name: str) -> None:
    options = {"momentum": 0.9} if name == "SGD" else {}
    weights = []
    for module in (_optimizers, optim):
        torch.manual_seed(0)
        model = nn.Linear(5, 3)
        kind = getattr(module, name)
        assert issubclass(kind, getattr(optim, name))
        optimizer = kind(model.parameters(), lr=0.1, weight_decay=0.01, **options)
        for step in range(4):
            if step == 2:  # as a run that goes on does
                state = optimizer.state_dict()
                optimizer = kind(model.parameters(), lr=0.5, **options)
                optimizer.load_state_dict(state)
            optimizer.zero_grad()
            model(torch.randn(7, 5)).square().sum().backward()
            optimizer.step()
        weights.append(model.weight)
    assert torch.equal(*weights)


def test_gradients_that_are_not_finite_end_a_clipped_run_with_a_reason(tmp_path: Path) -> None:
    settings = {**SETTINGS, "learning_rate": 1e38, "clip_norm": 1.0}
    with pytest.raises(NonFiniteError, match="the last good state is kept"):
        learn(
            data=small_data(),
            model=plain_network,
            method="lwf",
            output=tmp_path / "run",
            **settings,
        )
