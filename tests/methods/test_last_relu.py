"""The ReLU that the features end with is left out, and no other."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from didact.methods.kit.last_relu import SkipLastCall, drop_last_relu
from didact.nn import build_model

SHAPE = (1, 32, 32)


def images() -> Tensor:
    return torch.randn(16, *SHAPE, generator=torch.Generator().manual_seed(1))


class Block(nn.Module):
    """As torchvision's: one ReLU module, called after each convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 3, 3, padding=1)
        self.conv2 = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        return self.relu(self.conv2(self.relu(self.conv1(maps))) + maps)


class Body(nn.Module):
    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.last = last  # named before the layer that is called first
        self.stem = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU())

    def features(self, batch: Tensor) -> Tensor:
        return self.last(self.stem(batch)).mean((2, 3))


@pytest.mark.parametrize(
    "model", ["cnn-2", "mlp-8-4", "resnet8", "wrn-10-1", "vgg8", "mobilenetv2", "shufflenetv1"]
)
def test_the_last_relu_of_the_zoo_is_dropped(model: str) -> None:
    torch.manual_seed(0)
    network = build_model(model, image_shape=SHAPE, num_classes=2).eval()
    relus = sum(isinstance(module, nn.ReLU) for module in network.modules())
    with torch.no_grad():
        assert float(network.features(images()).min()) >= 0
        drop_last_relu(network, SHAPE)
        assert float(network.features(images()).min()) < 0
    assert sum(isinstance(module, nn.ReLU) for module in network.modules()) == relus - 1


def test_a_shared_relu_is_left_out_at_its_last_call_alone() -> None:
    torch.manual_seed(0)
    network = Body(Block())
    block = copy.deepcopy(network.last)
    drop_last_relu(network, SHAPE)
    assert isinstance(network.last.relu, SkipLastCall)
    maps = network.stem(images())
    expected = block.conv2(F.relu(block.conv1(maps))) + maps
    for again in (network, network, copy.deepcopy(network)):
        torch.testing.assert_close(again.features(images()), expected.mean((2, 3)))


@pytest.mark.parametrize("last", [nn.Softplus(), nn.Sigmoid(), nn.Identity()])
def test_features_that_end_with_something_else_stay_as_they_are(last: nn.Module) -> None:
    torch.manual_seed(0)
    network = Body(nn.Sequential(nn.Conv2d(3, 3, 1), last))
    before = network.features(images())
    drop_last_relu(network, SHAPE)
    torch.testing.assert_close(network.features(images()), before, rtol=0, atol=0)
    assert isinstance(network.stem[1], nn.ReLU)


def test_a_plain_linear_network_has_no_relu_to_drop() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(1024, 2))
    network.features = network.forward  # type: ignore[assignment]
    drop_last_relu(network, SHAPE)
    assert isinstance(network[1], nn.Linear)
