"""Sandler et al. 2018: MobileNetV2, half as wide, in the form for 32x32 images."""

from __future__ import annotations

from torch import Tensor, nn

from didact.nn.catalogue.registry import model
from didact.nn.heads.classifier import ImageClassifier, initialise, pooled
from didact.nn.inspection.dry_run import ImageShape

_PATHS = ("stem", "layer2", "layer3", "layer5", "layer7", "embedding")
_EXPANSION = 6
_STAGES = (  # expansion, channels at full width, blocks, stride of the first
    (1, 16, 1, 1),
    (_EXPANSION, 24, 2, 1),
    (_EXPANSION, 32, 3, 2),
    (_EXPANSION, 64, 4, 2),
    (_EXPANSION, 96, 3, 1),
    (_EXPANSION, 160, 3, 2),
    (_EXPANSION, 320, 1, 1),
)
_LAST = 1280


def _unit(
    inputs: int, outputs: int, side: int, *, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    convolution = nn.Conv2d(
        inputs, outputs, side, stride=stride, padding=side // 2, groups=groups, bias=False
    )
    return [convolution, nn.BatchNorm2d(outputs)]


class InvertedResidual(nn.Module):
    """Widen, convolve each channel by itself, narrow without ReLU; a shortcut where sizes allow."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.body = nn.Sequential(
            *_unit(inputs, wide, 1),
            nn.ReLU(),
            *_unit(wide, wide, 3, stride=stride, groups=wide),
            nn.ReLU(),
            *_unit(wide, outputs, 1),
        )
        self.has_shortcut = stride == 1 and inputs == outputs

    def forward(self, features: Tensor) -> Tensor:
        """``body(x)``, plus ``x`` where there is a shortcut."""
        result: Tensor = self.body(features)
        return features + result if self.has_shortcut else result


class MobileNetV2(ImageClassifier):
    """Seven stages between a 3x3 stem of stride 2 and a 1x1 convolution to 1280 channels."""

    def __init__(self, width: float, channels: int, num_classes: int) -> None:
        super().__init__()
        inputs = int(32 * width)
        self.stem = nn.Sequential(*_unit(channels, inputs, 3, stride=2), nn.ReLU())
        for number, (expansion, full, count, stride) in enumerate(_STAGES, start=1):
            outputs = int(full * width)
            blocks = [InvertedResidual(inputs, outputs, stride, expansion)]
            blocks += [InvertedResidual(outputs, outputs, 1, expansion) for _ in range(count - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            inputs = outputs
        self.head = nn.Sequential(*_unit(inputs, _LAST, 1), nn.ReLU())
        self.embedding = pooled()
        self.classifier = nn.Linear(_LAST, num_classes)
        self.feature_paths = _PATHS
        initialise(self, linear_std=0.01)

    def stages(self, images: Tensor) -> Tensor:
        """The 1280 channels before pooling, at a sixteenth of the height and width."""
        features: Tensor = self.stem(images)
        for number in range(1, len(_STAGES) + 1):
            features = self.get_submodule(f"layer{number}")(features)
        wide: Tensor = self.head(features)
        return wide


@model(
    "mobilenetv2",
    pattern=r"mobilenetv2",
    form="mobilenetv2",
    summary="MobileNetV2 of half width and expansion 6, without the ImageNet strides.",
    paper="Sandler et al. 2018, arXiv:1801.04381",
    feature_paths=_PATHS,
)
def build_mobilenet(
    sizes: tuple[int, ...],  # noqa: ARG001
    *,
    image_shape: ImageShape,
    num_classes: int,
) -> nn.Module:
    """``mobilenetv2`` as the distillation tables have it."""
    return MobileNetV2(0.5, image_shape[0], num_classes)
