"""Ma et al. 2018: ShuffleNetV2 of width 1, in the form for 32x32 images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from didact.nn.catalogue.registry import model
from didact.nn.heads.classifier import ImageClassifier, pooled
from didact.nn.inspection.dry_run import ImageShape

_PATHS = ("stem", "layer1", "layer2", "layer3", "embedding")
_STEM = 24
_STAGES = ((116, 4), (232, 8), (464, 4))
_LAST = 1024


def _pointwise(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def _depthwise(channels: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(
        channels, channels, 3, stride=stride, padding=1, groups=channels, bias=False
    )
    return [convolution, nn.BatchNorm2d(channels)]


class SplitUnit(nn.Module):
    """Half of the channels pass untouched; the other half is convolved; then they are shuffled."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.kept = half
        self.right = nn.Sequential(
            *_pointwise(half, half), *_depthwise(half, 1), *_pointwise(half, half)
        )
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, features: Tensor) -> Tensor:
        """The unit's output, as many channels and as large."""
        right = self.right(features[:, self.kept :])
        result: Tensor = self.shuffle(torch.cat([features[:, : self.kept], right], dim=1))
        return result


class HalvingUnit(nn.Module):
    """Both branches see all channels and halve the image; then they are shuffled."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.left = nn.Sequential(*_depthwise(inputs, 2), *_pointwise(inputs, half))
        self.right = nn.Sequential(
            *_pointwise(inputs, half), *_depthwise(half, 2), *_pointwise(half, half)
        )
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, features: Tensor) -> Tensor:
        """The unit's output, half as high and wide."""
        both = torch.cat([self.left(features), self.right(features)], dim=1)
        result: Tensor = self.shuffle(both)
        return result


class ShuffleNetV2(ImageClassifier):
    """Three stages of 116, 232 and 464 channels, then a 1x1 convolution to 1024."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_pointwise(channels, _STEM))
        inputs = _STEM
        for number, (outputs, count) in enumerate(_STAGES, start=1):
            units: list[nn.Module] = [HalvingUnit(inputs, outputs)]
            units += [SplitUnit(outputs) for _ in range(count - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*units))
            inputs = outputs
        self.head = nn.Sequential(*_pointwise(inputs, _LAST))
        self.embedding = pooled()
        self.classifier = nn.Linear(_LAST, num_classes)
        self.feature_paths = _PATHS

    def stages(self, images: Tensor) -> Tensor:
        """The 1024 channels before pooling, ``(batch, 1024, height/8, width/8)``."""
        features = images
        for path in _PATHS[:-1]:
            features = self.get_submodule(path)(features)
        wide: Tensor = self.head(features)
        return wide


@model(
    "shufflenetv2",
    pattern=r"shufflenetv2",
    form="shufflenetv2",
    summary="ShuffleNetV2 of width 1, with a 1x1 stem and no early pooling.",
    paper="Ma et al. 2018, arXiv:1807.11164",
    feature_paths=_PATHS,
)
def build_shufflenet_v2(
    sizes: tuple[int, ...],  # noqa: ARG001
    *,
    image_shape: ImageShape,
    num_classes: int,
) -> nn.Module:
    """``shufflenetv2`` as the distillation tables have it."""
    return ShuffleNetV2(image_shape[0], num_classes)
