"""Zhang et al. 2018: ShuffleNet with 3 groups, in the form for 32x32 images."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.nn.catalogue.registry import model
from didact.nn.heads.classifier import ImageClassifier, pooled
from didact.nn.inspection.dry_run import ImageShape

_PATHS = ("stem", "layer1", "layer2", "layer3", "embedding")
_STEM = 24
_GROUPS = 3
_STAGES = ((240, 4), (480, 8), (960, 4))


class ShuffleUnit(nn.Module):
    """Grouped 1x1, depthwise 3x3, grouped 1x1; with stride 2 the shortcut is concatenated."""

    def __init__(self, inputs: int, outputs: int, *, halve: bool) -> None:
        super().__init__()
        own = outputs - inputs if halve else outputs
        middle = own // 4
        groups = 1 if inputs == _STEM else _GROUPS
        self.conv1 = nn.Conv2d(inputs, middle, 1, groups=groups, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        self.shuffle = nn.ChannelShuffle(groups)
        self.conv2 = nn.Conv2d(
            middle, middle, 3, stride=2 if halve else 1, padding=1, groups=middle, bias=False
        )
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv3 = nn.Conv2d(middle, own, 1, groups=_GROUPS, bias=False)
        self.bn3 = nn.BatchNorm2d(own)
        self.shortcut = nn.AvgPool2d(3, stride=2, padding=1) if halve else None
        self.activation = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """The unit's output, after ReLU."""
        hidden = self.shuffle(F.relu(self.bn1(self.conv1(features))))
        hidden = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(hidden)))))
        if self.shortcut is None:
            hidden = hidden + features
        else:
            hidden = torch.cat([hidden, self.shortcut(features)], dim=1)
        result: Tensor = self.activation(hidden)
        return result


class ShuffleNetV1(ImageClassifier):
    """Three stages of 240, 480 and 960 channels after a 1x1 stem."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        stem = nn.Conv2d(channels, _STEM, 1, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(_STEM), nn.ReLU())
        inputs = _STEM
        for number, (outputs, count) in enumerate(_STAGES, start=1):
            units = [ShuffleUnit(inputs, outputs, halve=True)]
            units += [ShuffleUnit(outputs, outputs, halve=False) for _ in range(count - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*units))
            inputs = outputs
        self.embedding = pooled()
        self.classifier = nn.Linear(inputs, num_classes)
        self.feature_paths = _PATHS

    def stages(self, images: Tensor) -> Tensor:
        """The third stage's output, ``(batch, 960, height/8, width/8)``."""
        features = images
        for path in _PATHS[:-1]:
            features = self.get_submodule(path)(features)
        return features


@model(
    "shufflenetv1",
    pattern=r"shufflenetv1",
    form="shufflenetv1",
    summary="ShuffleNet with 3 groups, a 1x1 stem and no early pooling.",
    paper="Zhang et al. 2018, arXiv:1707.01083",
    feature_paths=_PATHS,
)
def build_shufflenet_v1(
    sizes: tuple[int, ...],  # noqa: ARG001
    *,
    image_shape: ImageShape,
    num_classes: int,
) -> nn.Module:
    """``shufflenetv1`` as the distillation tables have it."""
    return ShuffleNetV1(image_shape[0], num_classes)
