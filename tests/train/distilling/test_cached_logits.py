"""Logits of a teacher from a file take its place, image by image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from didact._core.errors import CheckpointError, ModelError, UsageError
from didact.data import load, read_source
from didact.nn import build_model
from didact.train import distill

QUICK: dict[str, Any] = {
    "epochs": 2, "batch_size": 64, "seeds": (0, 1), "onnx": False, "accelerator": "cpu",
    "threads": 1, "student": "mlp-8", "accept_teacher": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def teacher() -> torch.nn.Module:
    torch.manual_seed(0)
    return build_model("mlp-16", image_shape=(1, 8, 8), num_classes=10).eval()


@pytest.fixture(scope="module")
def stored(teacher: torch.nn.Module) -> np.ndarray:
    """The teacher's logits of every image of digits, which has no test images of its own."""
    source, data = read_source("digits"), load("digits")
    pixels = source.parts.train.whole.float() / 255
    images = (pixels - torch.tensor(data.mean)) / torch.tensor(data.std)
    with torch.no_grad():
        return teacher(images).numpy()


def test_the_student_is_the_one_of_the_teacher_itself(
    teacher: torch.nn.Module, stored: np.ndarray, tmp_path: Path
) -> None:
    np.savez(tmp_path / "logits.npz", train=stored)
    own = distill(teacher=teacher, teacher_normalise="data", output=tmp_path / "a", **QUICK)
    cached = distill(teacher=f"npz:{tmp_path / 'logits.npz'}", output=tmp_path / "b", **QUICK)
    for arm in ("teacher", "alone", "distilled"):
        for key in ("test_accuracy", "nll"):
            mine, other = (r.summary["arms"][arm][key] for r in (own, cached))
            # Each seed has a mean and a deviation of its own; the stored logits have seed 0's.
            assert mine[0] == pytest.approx(other[0], abs=1e-3), (arm, key)
    assert set(cached.summary["models"]["teacher"][0]) == {"name"}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"test": "all"}, "has no 'train'"),
        ({"train": "half"}, r"expected \(1797, 10\)"),
        ({"train": "wide"}, r"expected \(1797, 10\)"),
    ],
)
def test_logits_that_do_not_fit_are_refused(
    arrays: dict[str, str], message: str, stored: np.ndarray, tmp_path: Path
) -> None:
    kinds = {"all": stored, "half": stored[:900], "wide": np.concatenate([stored, stored], 1)}
    np.savez(tmp_path / "x.npz", **{name: kinds[kind] for name, kind in arrays.items()})
    with pytest.raises(ModelError, match=message):
        distill(teacher=f"npz:{tmp_path / 'x.npz'}", output=tmp_path / "run", **QUICK)
    assert not (tmp_path / "run").exists()


def test_changed_images_have_no_stored_logits(stored: np.ndarray, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", train=stored)
    given = QUICK | {"teacher": f"npz:{tmp_path / 'x.npz'}", "output": tmp_path / "run"}
    with pytest.raises(UsageError, match="--augment crop changes the images"):
        distill(augment="crop", **given)
    with pytest.raises(CheckpointError, match="there is no file"):
        distill(**given | {"teacher": "npz:none.npz"})
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(CheckpointError, match="damaged or no"):
        distill(**given | {"teacher": f"npz:{tmp_path / 'bad.npz'}"})
