"""The mean over all positions, in both memory formats."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from didact.nn import build_model
from didact.nn.heads.classifier import MeanOverPositions


def gradient(pool: nn.Module, features: Tensor) -> tuple[Tensor, Tensor]:
    leaf = features.clone(memory_format=torch.preserve_format).requires_grad_()
    means = pool(leaf)
    means.backward(torch.arange(means.numel(), dtype=means.dtype).view_as(means) / 7)
    assert leaf.grad is not None
    return means.detach(), leaf.grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(4, 16, 7, 7), (3, 1, 5, 4), (1, 8, 1, 1), (2, 5, 3, 9)])
def test_the_bits_are_those_of_torch(
    shape: tuple[int, ...], form: torch.memory_format, dtype: torch.dtype
) -> None:
    features = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    features = features.contiguous(memory_format=form)
    means, slope = gradient(MeanOverPositions(), features)
    expected, expected_slope = gradient(nn.AdaptiveAvgPool2d(1), features)
    assert means.shape == (*shape[:2], 1, 1)
    assert torch.equal(means, expected)
    assert torch.equal(slope, expected_slope)


@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_reaches_the_layers_in_their_own_format(form: torch.memory_format) -> None:
    torch.manual_seed(0)
    model = build_model("cnn-4", image_shape=(1, 8, 8), num_classes=3)
    model.to(memory_format=form)  # type: ignore[call-overload]
    seen: list[bool] = []
    model.layer3[2].register_full_backward_hook(  # type: ignore[index, union-attr]
        lambda _module, _inputs, outputs: seen.append(outputs[0].is_contiguous(memory_format=form))
    )
    images = torch.randn(2, 1, 8, 8).contiguous(memory_format=form)
    model(images).sum().backward()
    assert seen == [True]
