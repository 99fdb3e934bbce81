"""Small data and models for the tests of the training loops."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from didact.data import Data, Split

CLASSES, SIDE = 3, 4


def split(count: int, seed: int) -> Split:
    """Blurred blobs: class k is brighter in its own third of the image."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    images = torch.randint(0, 90, (count, 1, SIDE, SIDE), generator=generator)
    for index, label in enumerate(labels.tolist()):
        images[index, 0, :, label] += 100
    return Split(images.to(torch.uint8), labels)


def small_data(*, labelled: Tensor | None = None, train: int = 48) -> Data:
    """48 training, 12 validation and 15 test images of 1 x 4 x 4 in 3 classes."""
    return Data(
        name="blobs",
        train=split(train, 0),
        validation=split(12, 1),
        test=split(15, 2),
        class_names=("a", "b", "c"),
        mean=(0.3,),
        std=(0.2,),
        labelled=torch.ones(train, dtype=torch.bool) if labelled is None else labelled,
    )


def small_model() -> nn.Module:
    """A network with dropout, so that a resumed run needs the random state."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(16, 12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, CLASSES)
    )


def plain_model() -> nn.Module:
    """A network without random parts."""
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.Tanh(), nn.Linear(12, CLASSES))


QUICK = {
    "epochs": 2,
    "batch_size": 16,
    "seeds": (0,),
    "onnx": False,
    "accelerator": "cpu",
    "threads": 1,
}
