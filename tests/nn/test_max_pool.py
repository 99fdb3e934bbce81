"""The faster 2x2 max pooling is PyTorch's, bit for bit."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import forward_ad

from didact.nn.blocks.max_pool import FastMaxPool2d, _takes_maxima


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("sides", [(6, 8), (7, 8), (6, 5), (2, 2), (3, 3)])
def test_halving_is_max_pooling_in_value_and_format(
    sides: tuple[int, int], layout: torch.memory_format, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(3, 4, *sides, generator=generator).relu().to(dtype)
    images[0, 0, 0, 1], images[1, 0, 0, 0] = torch.nan, -torch.inf
    images = images.contiguous(memory_format=layout)
    assert _takes_maxima(images)
    halved, expected = FastMaxPool2d()(images), F.max_pool2d(images, 2)
    assert torch.equal(halved.nan_to_num(9.0), expected.nan_to_num(9.0))
    assert halved.is_contiguous(memory_format=layout)


def test_where_a_gradient_is_wanted_pytorch_makes_it() -> None:
    images = torch.randn(2, 3, 4, 4, requires_grad=True)
    halved = FastMaxPool2d()(images)
    assert type(halved.grad_fn).__name__ == "MaxPool2DWithIndicesBackward0"
    with torch.no_grad():
        assert torch.equal(FastMaxPool2d()(images), halved)


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace")
def test_tracing_and_mapping_see_max_pooling() -> None:
    images = torch.randn(2, 3, 4, 4)
    assert "max_pool2d" in str(torch.jit.trace(FastMaxPool2d(), images).graph)
    assert "max_pool2d" in str(torch.export.export(FastMaxPool2d(), (images,)).graph)
    mapped = torch.func.vmap(FastMaxPool2d())(images)
    assert torch.equal(mapped, F.max_pool2d(images, 2))


def test_images_too_small_to_halve_are_refused() -> None:
    with pytest.raises(RuntimeError, match="too small"):
        FastMaxPool2d()(torch.randn(1, 1, 1, 4))


@pytest.mark.filterwarnings("ignore:.*torch.jit.script")
def test_forward_differentiation_is_pytorchs_at_ties() -> None:
    images, tangent = torch.zeros(1, 1, 2, 2), torch.arange(1.0, 5.0).view(1, 1, 2, 2)
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(images, tangent)
        found = forward_ad.unpack_dual(FastMaxPool2d()(dual)).tangent
        expected = forward_ad.unpack_dual(F.max_pool2d(dual, 2)).tangent
    assert torch.equal(found, expected)


def test_a_pytorch_that_hides_its_transforms_gets_its_own_pooling(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = torch.randn(2, 3, 4, 4)
    monkeypatch.delattr(torch._C, "_are_functorch_transforms_active")
    assert not _takes_maxima(images)
    assert torch.equal(FastMaxPool2d()(images), F.max_pool2d(images, 2))
