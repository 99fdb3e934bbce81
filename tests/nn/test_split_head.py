"""Models from elsewhere get features and a linear classifier."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from didact._core.errors import ModelError
from didact.nn import build_model, split_head
from didact.nn.heads.split_head import BodyAndHead

SHAPE = (1, 4, 4)


class LikeResNet(nn.Module):
    """The head is called otherwise, and dropout comes before it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 5, 3)
        self.gate = nn.Linear(5, 5)
        self.fc = nn.Linear(5, 3)

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.conv(images).mean((2, 3))
        return self.fc(pooled * self.gate(pooled).sigmoid())


class LikeDenseNet(nn.Module):
    """``features`` gives maps, and ``classifier`` is linear."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
        self.classifier = nn.Linear(2, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images).relu().mean((2, 3)))


class Ready(nn.Module):
    """What learning expects already."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Linear(16, 3)

    def features(self, images: Tensor) -> Tensor:
        return images.flatten(1).tanh()

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))


class Scaled(Ready):
    """The logits are not those of its classifier."""

    def forward(self, images: Tensor) -> Tensor:
        return 2 * super().forward(images)


def perceptron() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(16, 7), nn.ReLU(), nn.Sequential(nn.Dropout(), nn.Linear(7, 3))
    )


@pytest.mark.parametrize(
    ("make", "width"), [(LikeResNet, 5), (LikeDenseNet, 2), (perceptron, 7), (Ready, 16)]
)
def test_the_logits_stay_and_the_features_are_what_the_last_layer_gets(
    make: type[nn.Module], width: int
) -> None:
    torch.manual_seed(0)
    model = make().train()
    images = torch.randn(4, *SHAPE)
    expected = model.eval()(images)
    model.train()
    state = torch.get_rng_state()
    split = split_head(model, SHAPE)
    assert torch.equal(torch.get_rng_state(), state)
    assert split.training
    split.eval()
    assert split.features(images).shape == (4, width)
    assert torch.equal(split(images), expected)
    assert torch.equal(split.classifier(split.features(images)), expected)


def test_a_model_that_is_ready_is_left_alone() -> None:
    ready, zoo = Ready(), build_model("cnn-2", image_shape=SHAPE, num_classes=3)
    assert split_head(ready, SHAPE) is ready
    assert split_head(zoo, SHAPE) is zoo


def test_a_single_layer_has_the_images_as_features() -> None:
    split = split_head(nn.Linear(4, 2), (4,))  # type: ignore[arg-type]
    assert isinstance(split, BodyAndHead)
    assert torch.equal(split.features(torch.eye(4)), torch.eye(4))


@pytest.mark.parametrize(
    "model",
    [Scaled(), nn.Sequential(perceptron(), nn.Softmax(1)), nn.Sequential(nn.Flatten())],
)
def test_a_model_without_such_a_layer_is_refused(model: nn.Module) -> None:
    with pytest.raises(ModelError, match=r"no linear layer of .* gives its logits"):
        split_head(model, SHAPE)
