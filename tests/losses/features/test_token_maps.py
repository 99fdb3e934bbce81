"""Tokens of vision transformers in the losses that take maps."""

from __future__ import annotations

import pytest
import torch

from didact import losses
from didact._core.errors import RangeError, ShapeError


def test_a_patch_keeps_its_place_and_its_units() -> None:
    patches = torch.arange(24.0).view(1, 6, 4)
    tokens = torch.cat([torch.full((1, 2, 4), -1.0), patches], 1)
    maps = losses.token_maps(tokens, prefix=2, size=(2, 3))
    assert maps.shape == (1, 4, 2, 3)
    for row in range(2):
        for column in range(3):
            assert torch.equal(maps[0, :, row, column], patches[0, 3 * row + column])


@pytest.mark.parametrize(
    "loss", [losses.hint, losses.attention_transfer, losses.nst, losses.ickd, losses.cwd]
)
def test_losses_on_maps_take_them_and_leave_the_prefix_alone(loss: object) -> None:
    student = torch.randn(2, 10, 5, requires_grad=True)
    maps = losses.token_maps(student), losses.token_maps(torch.randn(2, 11, 5), prefix=2)
    loss(*maps).backward()  # type: ignore[operator]
    assert student.grad is not None
    assert not student.grad[:, 0].any()
    assert student.grad[:, 1:].any()


def test_patches_that_fill_no_map_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"10 patches.*3 x 3.*prefix="):
        losses.token_maps(torch.zeros(2, 11, 4))
    with pytest.raises(ShapeError, match="2 x 4"):
        losses.token_maps(torch.zeros(2, 10, 4), size=(2, 4))
    with pytest.raises(ShapeError, match="0 patches"):
        losses.token_maps(torch.zeros(2, 1, 4))
    with pytest.raises(ShapeError, match="batch, tokens, dim"):
        losses.token_maps(torch.zeros(2, 4, 4, 4))
    with pytest.raises(RangeError, match="prefix"):
        losses.token_maps(torch.zeros(2, 10, 4), prefix=-1)
