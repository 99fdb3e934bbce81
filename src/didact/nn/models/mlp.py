"""Fully connected layers with ReLU."""

from __future__ import annotations

import math

from torch import Tensor, nn

from didact.nn.catalogue.registry import check_sizes, model
from didact.nn.heads.classifier import ImageClassifier
from didact.nn.inspection.dry_run import ImageShape

_DEFAULT_WIDTHS = (256, 128)


def _paths(sizes: tuple[int, ...]) -> tuple[str, ...]:
    return (*(f"layer{n}" for n in range(1, len(sizes or _DEFAULT_WIDTHS) + 1)), "embedding")


class Mlp(ImageClassifier):
    """Hidden layers ``layer1``, ``layer2``, ... of the given widths, each linear then ReLU."""

    def __init__(self, widths: tuple[int, ...], image_shape: ImageShape, num_classes: int) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        inputs = math.prod(image_shape)
        for number, width in enumerate(widths, start=1):
            self.add_module(f"layer{number}", nn.Sequential(nn.Linear(inputs, width), nn.ReLU()))
            inputs = width
        self.embedding = nn.Identity()
        self.classifier = nn.Linear(inputs, num_classes)
        self.feature_paths = _paths(widths)
        for module in self.modules():
            if isinstance(module, nn.Linear) and module is not self.classifier:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def stages(self, images: Tensor) -> Tensor:
        """The last hidden layer, ``(batch, width)``."""
        hidden: Tensor = self.flatten(images)
        for path in self.feature_paths[:-1]:
            hidden = self.get_submodule(path)(hidden)
        return hidden


@model(
    "mlp",
    pattern=r"mlp((?:-\d+)*)",
    form="mlp-WIDTH-WIDTH-...",
    summary="Fully connected layers with ReLU; mlp is mlp-256-128.",
    paper="He et al. 2015, arXiv:1502.01852 (initialisation)",
    feature_paths=_paths,
)
def build_mlp(sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int) -> nn.Module:
    """``mlp``, or ``mlp-256-128`` with the widths of the hidden layers."""
    check_sizes("mlp", sizes)
    return Mlp(sizes or _DEFAULT_WIDTHS, image_shape, num_classes)
