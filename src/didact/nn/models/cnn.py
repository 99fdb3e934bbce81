"""A small convolutional network for small images."""

from __future__ import annotations

from torch import Tensor, nn

from didact.nn.blocks.max_pool import FastMaxPool2d
from didact.nn.catalogue.registry import check_side, check_sizes, model
from didact.nn.heads.classifier import ImageClassifier, initialise, pooled
from didact.nn.inspection.dry_run import ImageShape

_PATHS = ("layer1", "layer2", "layer3", "embedding")


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class Cnn(ImageClassifier):
    """Three 3x3 convolutions of width w, 2w, 4w with batch norm and ReLU, halving in between."""

    def __init__(self, width: int, image_shape: ImageShape, num_classes: int) -> None:
        super().__init__()
        self.layer1 = _layer(image_shape[0], width)
        self.layer2 = _layer(width, 2 * width)
        self.layer3 = _layer(2 * width, 4 * width)
        self.pool = FastMaxPool2d()
        self.embedding = pooled()
        self.classifier = nn.Linear(4 * width, num_classes)
        self.feature_paths = _PATHS
        initialise(self)

    def stages(self, images: Tensor) -> Tensor:
        """The last convolution's output, ``(batch, 4w, height/4, width/4)``."""
        hidden = self.pool(self.layer1(images))
        features: Tensor = self.layer3(self.pool(self.layer2(hidden)))
        return features


@model(
    "cnn",
    pattern=r"cnn(?:-(\d+))?",
    form="cnn-WIDTH",
    summary="Three convolutions of width w, 2w, 4w; cnn is cnn-32.",
    paper="Ioffe, Szegedy 2015, arXiv:1502.03167 (batch norm)",
    feature_paths=_PATHS,
)
def build_cnn(sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int) -> nn.Module:
    """``cnn``, or ``cnn-8`` with the width of the first layer."""
    check_sizes("cnn", sizes)
    check_side("cnn", image_shape, minimum=4)
    return Cnn(sizes[0] if sizes else 32, image_shape, num_classes)
