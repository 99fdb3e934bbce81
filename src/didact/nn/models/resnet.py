"""He et al. 2016: the deeper residual networks, with the 3x3 stem that 32x32 images need."""

from __future__ import annotations

from torch import Tensor, nn

from didact.nn.blocks.residual import BasicBlock, Bottleneck, convolution, residual_stage
from didact.nn.catalogue.registry import model
from didact.nn.heads.classifier import ImageClassifier, initialise, pooled
from didact.nn.inspection.dry_run import ImageShape

_PATHS = ("stem", "layer1", "layer2", "layer3", "layer4", "embedding")
_FORMS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
}


class ResNet(ImageClassifier):
    """Four stages of 64 to 512 channels (four times as many for depth 50), no early pooling."""

    def __init__(self, depth: int, channels: int, num_classes: int) -> None:
        super().__init__()
        block, counts = _FORMS[depth]
        self.stem = nn.Sequential(convolution(channels, 64, side=3), nn.BatchNorm2d(64), nn.ReLU())
        inputs = 64
        for number, count in enumerate(counts, start=1):
            width = 32 * 2**number
            stage = residual_stage(block, inputs, width, count, stride=1 if number == 1 else 2)
            self.add_module(f"layer{number}", stage)
            inputs = width * block.expansion
        self.embedding = pooled()
        self.classifier = nn.Linear(inputs, num_classes)
        self.feature_paths = _PATHS
        initialise(self)

    def stages(self, images: Tensor) -> Tensor:
        """The fourth stage's output, ``(batch, channels, height/8, width/8)``."""
        features = images
        for path in _PATHS[:-1]:
            features = self.get_submodule(path)(features)
        return features


@model(
    *("resnet18", "resnet34", "resnet50"),
    pattern=r"resnet(18|34|50)",
    form="resnet18, resnet34 or resnet50",
    summary="ResNet of four stages with a 3x3 stem and no early pooling.",
    paper="He et al. 2016, arXiv:1512.03385, table 1; stem as for CIFAR",
    feature_paths=_PATHS,
)
def build_deep_resnet(
    sizes: tuple[int, ...], *, image_shape: ImageShape, num_classes: int
) -> nn.Module:
    """``resnet50`` as CIFAR tables have it; for 224x224 images take ``torchvision:resnet50``."""
    return ResNet(sizes[0], image_shape[0], num_classes)
