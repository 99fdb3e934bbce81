"""Losses that compare features work in the precisions that a run may have."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.train.distilling.support import QUICK

from didact._core.errors import UsageError
from didact.data import Data, Split
from didact.losses import CARDS
from didact.train import distill


def pictures() -> Data:
    """24 training images of 1 x 8 x 8, which a small convolutional network takes."""

    def split(count: int, seed: int) -> Split:
        labels = torch.arange(count) % 3
        images = torch.randint(
            0, 90, (count, 1, 8, 8), generator=torch.Generator().manual_seed(seed)
        )
        for index, label in enumerate(labels.tolist()):
            images[index, 0, :, label] += 100
        return Split(images.to(torch.uint8), labels)

    return Data(
        name="pictures",
        train=split(24, 0),
        validation=split(6, 1),
        test=split(6, 2),
        class_names=("a", "b", "c"),
        mean=(0.3,),
        std=(0.2,),
        labelled=torch.ones(24, dtype=torch.bool),
    )


@pytest.mark.parametrize("loss", ["hint", "ickd", "ab", "attention_transfer", "VID"])
def test_projectors_and_losses_compute_in_float32(tmp_path: Path, loss: str) -> None:
    settings = {**QUICK, "epochs": 1, "precision": "bf16-mixed", "arms": ("teacher", "distilled")}
    result = distill(
        student="cnn-2",
        teacher="cnn-4",
        data=pictures(),
        loss=loss,
        output=tmp_path / "r",
        **settings,
    )
    assert result.summary["complete"]


WITHOUT_WHAT_A_RUN_HAS = {"SimKD", "afc", "fsp"}


@pytest.mark.parametrize(
    "loss",
    [
        name
        for name, card in CARDS.items()
        if card.function.__module__.startswith("didact.losses.features")
        and name not in WITHOUT_WHAT_A_RUN_HAS
    ],
)
def test_every_loss_on_features_works_in_float16(tmp_path: Path, loss: str) -> None:
    """It is tried in the run's precision; after that a CPU is told that it does not train so."""
    settings = {**QUICK, "epochs": 1, "precision": "16-mixed"}
    with pytest.raises(UsageError, match="a CPU does not train in 16-mixed; expected bf16-mixed"):
        distill(
            student="cnn-2", teacher="cnn-4", data=pictures(), loss=loss, output=tmp_path / "r",
            **settings,
        )  # fmt: skip
    assert not (tmp_path / "r").exists()


def test_what_fails_in_the_runs_precision_fails_before_training(tmp_path: Path) -> None:
    def picky(student_features: torch.Tensor, teacher_logits: torch.Tensor) -> torch.Tensor:
        if teacher_logits.dtype != torch.float32:
            raise RuntimeError("only float32 here")
        return student_features.square().mean()

    with pytest.raises(UsageError, match=r"picky fails.*only float32"):
        distill(
            student="cnn-2", teacher="cnn-4", data=pictures(), loss=picky, output=tmp_path / "r",
            **{**QUICK, "precision": "bf16-mixed"},
        )  # fmt: skip
    assert not (tmp_path / "r").exists()
