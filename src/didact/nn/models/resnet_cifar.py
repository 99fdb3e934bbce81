"""He et al. 2016: residual networks in the form for 32x32 images (section 4.2)."""

from __future__ import annotations

from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.nn.blocks.residual import BasicBlock, residual_stage
from didact.nn.catalogue.registry import check_sizes, model
from didact.nn.heads.classifier import ImageClassifier, initialise, pooled
from didact.nn.inspection.dry_run import ImageShape

_PATHS = ("stem", "layer1", "layer2", "layer3", "embedding")


class ResNetCifar(ImageClassifier):
    """Three stages of basic blocks; the 2nd and 3rd halve the image and double the channels."""

    def __init__(
        self, blocks: int, widths: tuple[int, int, int, int], channels: int, num_classes: int
    ) -> None:
        super().__init__()
        stem = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(widths[0]), nn.ReLU())
        self.layer1 = residual_stage(BasicBlock, widths[0], widths[1], blocks, stride=1)
        self.layer2 = residual_stage(BasicBlock, widths[1], widths[2], blocks, stride=2)
        self.layer3 = residual_stage(BasicBlock, widths[2], widths[3], blocks, stride=2)
        self.embedding = pooled()
        self.classifier = nn.Linear(widths[3], num_classes)
        self.feature_paths = _PATHS
        initialise(self)

    def stages(self, images: Tensor) -> Tensor:
        """The third stage's output, ``(batch, channels, height/4, width/4)``."""
        features: Tensor = self.layer3(self.layer2(self.layer1(self.stem(images))))
        return features


@model(
    *("resnet8", "resnet14", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110"),
    *("resnet8x4", "resnet32x4"),
    pattern=r"resnet(\d+)(?:x(\d+))?",
    form="resnetDEPTH or resnetDEPTHxWIDTH",
    summary="CIFAR ResNet of depth 6n+2; x4 is four times wider, with a stem of 32 channels.",
    paper="He et al. 2016, arXiv:1512.03385, section 4.2",
    feature_paths=_PATHS,
)
def build_resnet(sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int) -> nn.Module:
    """``resnet20``: stages of 16, 32, 64 channels; ``resnet8x4``: 64, 128, 256 after a 32 stem."""
    name = "resnet" + "x".join(map(str, sizes))
    check_sizes(name, sizes)
    depth, factor = sizes[0], sizes[1] if len(sizes) > 1 else 1
    if depth < 8 or (depth - 2) % 6 != 0:
        raise ModelError(f"{name}: the depth is {depth}; expected 6n+2: 8, 14, 20, 32, 44, 56, 110")
    stem = 16 if factor == 1 else 32
    widths = (stem, 16 * factor, 32 * factor, 64 * factor)
    return ResNetCifar((depth - 2) // 6, widths, image_shape[0], num_classes)
