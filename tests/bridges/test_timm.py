"""timm's models as teachers, with the real library where it can be imported."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from didact._core.errors import MissingDependencyError, ModelError
from didact.bridges.timm import timm_teacher
from didact.train import distill


def has_timm() -> bool:
    try:
        import timm  # noqa: F401
    except Exception:  # noqa: BLE001 - it imports torchvision, which may not fit the torch there is
        return False
    return True


@pytest.mark.skipif(not has_timm(), reason="timm cannot be imported")
def test_a_model_of_timm_says_what_it_wants() -> None:
    found = timm_teacher("resnet18", pretrained=False, num_classes=10)
    assert found["normalise"] == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert found["input_size"] == (224, 224)


def pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that answers as timm does."""

    def create_model(name: str, **given: Any) -> nn.Module:
        if name == "none":
            raise RuntimeError("Unknown model (none)")
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, given["num_classes"]))

    timm: Any = ModuleType("timm")
    timm.create_model = create_model
    timm.data = ModuleType("timm.data")
    timm.data.resolve_model_data_config = lambda model: {
        "input_size": (3, 8, 8), "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.25, 0.5),
    }  # fmt: skip
    monkeypatch.setitem(sys.modules, "timm", timm)


def test_it_goes_into_distill_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    teacher = timm_teacher("any", num_classes=10)
    assert teacher["normalise"] == ((0.5, 0.5, 0.5), (0.5, 0.25, 0.5))
    result = distill(
        teacher=teacher, student="mlp-8", epochs=1, seeds=(0,), onnx=False, accept_teacher=True,
        batch_size=256, output=tmp_path / "run",
    )  # fmt: skip
    assert result.summary["arms"]["teacher"]["test_accuracy"]
    with pytest.raises(ModelError, match="none"):
        timm_teacher("none", num_classes=10)


def test_without_timm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDependencyError, match=r"didact\[timm\]"):
        timm_teacher("resnet18")
