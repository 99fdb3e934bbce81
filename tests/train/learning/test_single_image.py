"""A task with a single training image: BatchNorm cannot be trained on it, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.train.learning.support import SETTINGS, split
from torch import nn

from didact._core.errors import DataError
from didact.data import Data, Split
from didact.train import learn


def one_of_the_last(**_: object) -> Data:
    train = split(24, 0, 3)
    kept = [*(train.labels < 2).nonzero().flatten().tolist(), 2]  # the first image of class 2
    return Data(
        name="columns",
        train=Split(train.images[kept], train.labels[kept]),
        validation=split(6, 1, 3),
        test=split(9, 2, 3),
        class_names=("a", "b", "c"),
        mean=(0.3,),
        std=(0.2,),
        labelled=torch.ones(len(kept), dtype=torch.bool),
    )


def network(data: Data, classes: int) -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(36, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, classes)
    )


def test_a_single_image_and_batch_norm_is_a_sentence(tmp_path: Path) -> None:
    given = {**SETTINGS, "base": 2, "step": 1, "memory": None, "epochs": 1}
    with pytest.raises(DataError, match="a step has 1 image, and the model's BatchNorm"):
        learn(
            method="finetune",
            data=one_of_the_last(),
            model=network,
            output=tmp_path / "run",
            **given,
        )
