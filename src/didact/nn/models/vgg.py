"""Simonyan, Zisserman 2015: plain stacks of 3x3 convolutions, here with batch norm."""

from __future__ import annotations

from torch import Tensor, nn

from didact.nn.blocks.max_pool import FastMaxPool2d
from didact.nn.catalogue.registry import check_side, model
from didact.nn.heads.classifier import ImageClassifier, initialise, pooled
from didact.nn.inspection.dry_run import ImageShape

_PATHS = ("layer1", "layer2", "layer3", "layer4", "layer5", "embedding")
_WIDTHS = (64, 128, 256, 512, 512)
_COUNTS = {
    8: (1, 1, 1, 1, 1),
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


def _layer(inputs: int, outputs: int, count: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for _ in range(count):
        parts += [
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]
        inputs = outputs
    return nn.Sequential(*parts)


class Vgg(ImageClassifier):
    """Five groups of convolutions with a linear layer in place of the fully connected three.

    The image is halved after each of the first three groups, and after the fourth where it has
    64 or more pixels a side.
    """

    def __init__(self, depth: int, image_shape: ImageShape, num_classes: int) -> None:
        super().__init__()
        inputs = image_shape[0]
        for path, width, count in zip(_PATHS[:-1], _WIDTHS, _COUNTS[depth], strict=True):
            self.add_module(path, _layer(inputs, width, count))
            inputs = width
        self.pool = FastMaxPool2d()
        self.halvings = 4 if min(image_shape[1:]) >= 64 else 3
        self.embedding = pooled()
        self.classifier = nn.Linear(inputs, num_classes)
        self.feature_paths = _PATHS
        initialise(self, linear_std=0.01)

    def stages(self, images: Tensor) -> Tensor:
        """The fifth group's output, ``(batch, 512, height/8, width/8)``."""
        features = images
        for number, path in enumerate(_PATHS[:-1]):
            if 1 <= number <= self.halvings:
                features = self.pool(features)
            features = self.get_submodule(path)(features)
        return features


@model(
    *("vgg8", "vgg11", "vgg13", "vgg16", "vgg19"),
    pattern=r"vgg(8|11|13|16|19)",
    form="vgg8, vgg11, vgg13, vgg16 or vgg19",
    summary="VGG with batch norm and one linear layer.",
    paper="Simonyan, Zisserman 2015, arXiv:1409.1556",
    feature_paths=_PATHS,
)
def build_vgg(sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int) -> nn.Module:
    """``vgg8`` has one convolution in each group."""
    check_side(f"vgg{sizes[0]}", image_shape, minimum=8)
    return Vgg(sizes[0], image_shape, num_classes)
