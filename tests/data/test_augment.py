"""The rows that are copied on the CPU are the pixels that a gather would find."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from didact._core.errors import UnknownNameError
from didact.data.batches.augment import Augmentation, chosen_views

SHAPE = (3, 9, 11)


def random_images(dtype: torch.dtype) -> Tensor:
    drawn = torch.randint(0, 256, (20, *SHAPE), generator=torch.Generator().manual_seed(0))
    return drawn.to(dtype)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("name", ["crop", "flip", "crop-flip"])
def test_rows_are_the_pixels_of_the_windows(name: str, dtype: torch.dtype) -> None:
    augmentation = Augmentation.named(name, SHAPE)
    generator = torch.Generator().manual_seed(1)
    plan = augmentation.draw(500, generator, torch.device("cpu"))
    images, indices = random_images(dtype), torch.randint(20, (500,), generator=generator)
    views = augmentation.padded_views(images)
    found = chosen_views(views, indices, plan)
    expected = views[plan.flip, indices, :, plan.down, plan.right]
    assert found.dtype == dtype
    assert found.is_contiguous()
    assert torch.equal(found, expected)


def test_what_is_cut_is_a_copy() -> None:
    augmentation = Augmentation.named("crop", SHAPE)
    plan = augmentation.draw(20, torch.Generator().manual_seed(1), torch.device("cpu"))
    views = augmentation.padded_views(random_images(torch.uint8))
    before = views.clone()
    chosen_views(views, torch.arange(20), plan).fill_(7)
    assert torch.equal(views, before)


def test_no_image_at_all() -> None:
    augmentation = Augmentation.named("crop-flip", SHAPE)
    plan = augmentation.draw(0, torch.Generator(), torch.device("cpu"))
    views = augmentation.padded_views(random_images(torch.uint8))
    assert chosen_views(views, torch.arange(0), plan).shape == (0, *SHAPE)


def test_a_crop_moves_an_image_by_as_many_pixels_as_it_says() -> None:
    images = torch.zeros(1, 1, 9, 11)
    images[0, 0, 4, 5] = 1
    for name, most in (("crop2", 2), ("crop4-brightness", 4), ("crop", 1)):
        augmentation = Augmentation.named(name, (1, 9, 11))
        plan = augmentation.draw(2000, torch.Generator().manual_seed(0), torch.device("cpu"))
        moved = chosen_views(augmentation.padded_views(images), torch.zeros(2000).long(), plan)
        places = moved[:, 0].nonzero()[:, 1:] - torch.tensor([4, 5])
        every = range(-most, most + 1)
        assert {tuple(p) for p in places.tolist()} == {(a, b) for a in every for b in every}


@pytest.mark.parametrize("name", ["crop0", "crop02", "crop-2", "crop2000", "flip2", "crop2crop"])
def test_an_augmentation_of_no_such_name_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="no augmentation is called"):
        Augmentation.named(name, SHAPE)
