"""Residual blocks, and stages made of them."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn


def convolution(inputs: int, outputs: int, *, side: int, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias that keeps the size when its stride is 1."""
    return nn.Conv2d(inputs, outputs, side, stride=stride, padding=side // 2, bias=False)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    projection = convolution(inputs, outputs, side=1, stride=stride)
    return nn.Sequential(projection, nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut.

    The input of ``activation`` is the sum before ReLU, the input of ``relu1`` the first
    convolution's output before ReLU.
    """

    expansion: ClassVar[int] = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = convolution(inputs, width, side=3, stride=stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = convolution(width, width, side=3)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = _shortcut(inputs, width, stride)
        self.activation = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """``relu(F(x) + shortcut(x))``."""
        hidden = self.relu1(self.bn1(self.conv1(features)))
        result: Tensor = self.activation(self.bn2(self.conv2(hidden)) + self.shortcut(features))
        return result


class Bottleneck(nn.Module):
    """A 3x3 convolution between two of 1x1, the last four times wider, beside a shortcut."""

    expansion: ClassVar[int] = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = convolution(inputs, width, side=1)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = convolution(width, width, side=3, stride=stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3 = convolution(width, outputs, side=1)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.shortcut = _shortcut(inputs, outputs, stride)
        self.activation = nn.ReLU()

    def forward(self, features: Tensor) -> Tensor:
        """``relu(F(x) + shortcut(x))``."""
        hidden = self.relu1(self.bn1(self.conv1(features)))
        hidden = self.relu2(self.bn2(self.conv2(hidden)))
        result: Tensor = self.activation(self.bn3(self.conv3(hidden)) + self.shortcut(features))
        return result


def residual_stage(
    block: type[BasicBlock] | type[Bottleneck], inputs: int, width: int, count: int, *, stride: int
) -> nn.Sequential:
    """``count`` blocks, the first of which has the stride and changes the channels."""
    blocks = [block(inputs, width, stride)]
    blocks += [block(width * block.expansion, width, 1) for _ in range(count - 1)]
    return nn.Sequential(*blocks)
