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
    """Hidden layers ``layer1``, ``layer2``, ... of the given widths, each linear then ReLU.

    Args:
        widths: Of the hidden layers.
        image_shape: ``(channels, height, width)``.
        num_classes: The number of logits.
        dropout: The chances with which a pixel and a hidden unit are left out in training.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        image_shape: ImageShape,
        num_classes: int,
        dropout: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        super().__init__()
        of_pixels, of_units = dropout
        self.flatten = (
            nn.Sequential(nn.Flatten(), nn.Dropout(of_pixels)) if of_pixels else (nn.Flatten())
        )
        inputs = math.prod(image_shape)
        for number, width in enumerate(widths, start=1):
            layer = [nn.Linear(inputs, width), nn.ReLU()]
            layer += [nn.Dropout(of_units)] if of_units else []
            self.add_module(f"layer{number}", nn.Sequential(*layer))
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


@model(
    "mlp-dropout",
    pattern=r"mlp-dropout((?:-\d+)*)",
    form="mlp-dropout-WIDTH-WIDTH-...",
    summary="The same with dropout of a fifth of the pixels and half of the hidden units.",
    paper="Hinton et al. 2012, arXiv:1207.0580",
    feature_paths=_paths,
)
def build_mlp_dropout(
    sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int
) -> nn.Module:
    """``mlp-dropout``, or ``mlp-dropout-1200-1200``, the teacher of Hinton et al. 2015."""
    check_sizes("mlp-dropout", sizes)
    return Mlp(sizes or _DEFAULT_WIDTHS, image_shape, num_classes, dropout=(0.2, 0.5))
