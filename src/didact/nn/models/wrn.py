"""Zagoruyko, Komodakis 2016: wide residual networks, with normalisation before convolution."""

from __future__ import annotations

from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.nn.blocks.residual import convolution
from didact.nn.catalogue.registry import check_sizes, model
from didact.nn.heads.classifier import ImageClassifier, initialise, pooled
from didact.nn.inspection.dry_run import ImageShape

_PATHS = ("stem", "layer1", "layer2", "layer3", "embedding")


class PreactivationBlock(nn.Module):
    """BN, ReLU, convolution, twice; a shortcut with a convolution starts after the first ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU()
        self.conv1 = convolution(inputs, outputs, side=3, stride=stride)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.conv2 = convolution(outputs, outputs, side=3)
        self.shortcut = (
            None if inputs == outputs else convolution(inputs, outputs, side=1, stride=stride)
        )

    def forward(self, features: Tensor) -> Tensor:
        """The shortcut plus the two convolutions."""
        active = self.relu1(self.bn1(features))
        hidden: Tensor = self.conv2(self.relu2(self.bn2(self.conv1(active))))
        return hidden + (features if self.shortcut is None else self.shortcut(active))


def _stage(inputs: int, outputs: int, count: int, stride: int) -> nn.Sequential:
    first = PreactivationBlock(inputs, outputs, stride)
    return nn.Sequential(
        first, *(PreactivationBlock(outputs, outputs, 1) for _ in range(count - 1))
    )


class WideResNet(ImageClassifier):
    """Three stages of 16w, 32w and 64w channels, ``(depth - 4) / 6`` blocks each.

    The outputs of the stages are the features before normalisation and ReLU; ``head`` is both.
    """

    def __init__(self, depth: int, width: int, channels: int, num_classes: int) -> None:
        super().__init__()
        count = (depth - 4) // 6
        self.stem = convolution(channels, 16, side=3)
        self.layer1 = _stage(16, 16 * width, count, stride=1)
        self.layer2 = _stage(16 * width, 32 * width, count, stride=2)
        self.layer3 = _stage(32 * width, 64 * width, count, stride=2)
        self.head = nn.Sequential(nn.BatchNorm2d(64 * width), nn.ReLU())
        self.embedding = pooled()
        self.classifier = nn.Linear(64 * width, num_classes)
        self.feature_paths = _PATHS
        initialise(self)
        nn.init.zeros_(self.classifier.bias)

    def stages(self, images: Tensor) -> Tensor:
        """The third stage after its final BN and ReLU, ``(batch, 64w, height/4, width/4)``."""
        features: Tensor = self.layer3(self.layer2(self.layer1(self.stem(images))))
        active: Tensor = self.head(features)
        return active


@model(
    *("wrn-16-1", "wrn-16-2", "wrn-40-1", "wrn-40-2"),
    pattern=r"wrn-(\d+)-(\d+)",
    form="wrn-DEPTH-WIDTH",
    summary="Wide ResNet of depth 6n+4 without dropout.",
    paper="Zagoruyko, Komodakis 2016, arXiv:1605.07146",
    feature_paths=_PATHS,
)
def build_wrn(sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int) -> nn.Module:
    """``wrn-40-2``: depth 40, stages of 32, 64 and 128 channels."""
    depth, width = sizes
    name = f"wrn-{depth}-{width}"
    check_sizes(name, sizes)
    if depth < 10 or (depth - 4) % 6 != 0:
        raise ModelError(f"{name}: the depth is {depth}; expected 6n+4: 10, 16, 22, 28, 34, 40")
    return WideResNet(depth, width, image_shape[0], num_classes)
