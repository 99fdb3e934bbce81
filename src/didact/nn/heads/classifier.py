"""What every model of the zoo is: stages, an embedding, a classifier."""

from __future__ import annotations

from torch import Tensor, nn


class ImageClassifier(nn.Module):
    """A model with the parts that taps and growing heads rely on.

    Attributes:
        feature_paths: Paths of the modules whose outputs are the usual features, from the stem to
            the embedding, for :func:`didact.nn.tap`.
        embedding: The module whose output is the penultimate feature, ``(batch, width)``.
        classifier: The linear layer from the embedding to the logits.
    """

    feature_paths: tuple[str, ...]
    embedding: nn.Module
    classifier: nn.Linear

    def stages(self, images: Tensor) -> Tensor:
        """What comes before the embedding."""
        raise NotImplementedError

    def features(self, images: Tensor) -> Tensor:
        """The penultimate features, ``(batch, width)``."""
        features: Tensor = self.embedding(self.stages(images))
        return features

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(batch, classes)`` of images ``(batch, channels, height, width)``."""
        logits: Tensor = self.classifier(self.features(images))
        return logits


class MeanOverPositions(nn.AdaptiveAvgPool2d):
    """``AdaptiveAvgPool2d(1)`` whose gradient keeps the memory format of what comes in.

    The gradient of torch's own is always channels first. In a ``channels_last`` network the layers
    before it then work on two formats at once, slowly. The numbers are the same, bit by bit.
    """

    def __init__(self) -> None:
        super().__init__(1)

    def forward(self, features: Tensor) -> Tensor:
        """``(batch, channels, h, w)`` to ``(batch, channels, 1, 1)``."""
        if features.stride(1) == 1 and features.shape[1] > 1:
            pixels = features.permute(0, 2, 3, 1).flatten(1, 2)
            return pixels.mean(1)[:, :, None, None]
        means: Tensor = super().forward(features)
        return means


def pooled() -> nn.Sequential:
    """The mean over all positions: ``(batch, channels, h, w)`` to ``(batch, channels)``."""
    return nn.Sequential(MeanOverPositions(), nn.Flatten())


def initialise(model: nn.Module, *, linear_std: float | None = None) -> None:
    """He's initialisation (arXiv:1502.01852, eq. 10, fan out) of every convolution.

    Args:
        model: Convolutions get ``N(0, 2 / (k^2 * out_channels))`` and no bias; normalisations get
            scale 1 and shift 0.
        linear_std: Standard deviation of the linear layers, whose bias becomes 0; None leaves
            them as torch made them.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear) and linear_std is not None:
            nn.init.normal_(module.weight, std=linear_std)
            nn.init.zeros_(module.bias)
