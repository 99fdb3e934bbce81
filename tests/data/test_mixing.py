"""Mixup and CutMix are a function of seed, epoch and place, and keep labels and pixels in step."""

from __future__ import annotations

import pytest
import torch

from didact._core.errors import RangeError, ShapeError
from didact.data import Batches, Mixing, Split

CLASSES = 4


def split(count: int = 40) -> Split:
    labels = torch.arange(count) % CLASSES
    images = torch.zeros(count, 1, 8, 8)
    images += labels.view(-1, 1, 1, 1)
    return Split(images, labels)


def batches(mixing: Mixing, rank: int = 0, world: int = 1, **rest: object) -> Batches:
    return Batches(
        split(), batch_size=8 // world, seed=3, shuffle=True, mean=(0.0,), std=(1.0,),
        rank=rank, world_size=world, mixing=mixing, num_classes=CLASSES, **rest,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("mixing", [Mixing(mixup=0.5), Mixing(cutmix=1.0), Mixing(0.5, 1.0)])
def test_pixels_and_labels_are_mixed_in_one_proportion(mixing: Mixing) -> None:
    changed = 0
    for batch in batches(mixing).epoch(1):
        numbers = (batch.labels * torch.arange(CLASSES)).sum(dim=1)
        assert torch.allclose(batch.images.mean(dim=(1, 2, 3)), numbers, atol=1e-5)
        assert torch.allclose(batch.labels.sum(dim=1), torch.ones(len(batch.labels)))
        changed += int((batch.labels.max(dim=1).values < 0.999).sum())
    assert changed > 10


def test_cutmix_covers_a_box_and_leaves_the_rest() -> None:
    plan = Mixing(cutmix=1.0).draw(torch.arange(50), (1, 8, 8), 0, 0)
    mixed = plan.images(torch.zeros(50, 1, 8, 8), torch.ones(50, 1, 8, 8), 0, 50)
    assert set(mixed.unique().tolist()) == {0.0, 1.0}
    assert torch.allclose(mixed.mean(dim=(1, 2, 3)), 1 - plan.share)


def test_two_processes_see_what_one_sees_and_a_start_in_the_middle_too() -> None:
    mixing = Mixing(0.5, 1.0)
    whole = list(batches(mixing).epoch(2))
    shares = [list(batches(mixing, rank, 2).epoch(2)) for rank in (0, 1)]
    for one, first, second in zip(whole, *shares, strict=True):
        assert torch.equal(one.images, torch.cat([first.images, second.images]))
        assert torch.equal(one.labels, torch.cat([first.labels, second.labels]))
    later = list(batches(mixing).epoch(2, start=3))
    assert torch.equal(later[0].images, whole[3].images)
    assert not torch.equal(whole[0].images, next(batches(mixing).epoch(3)).images)


def test_no_label_is_lost_to_an_image_without_one() -> None:
    labelled = torch.arange(40) % 3 == 0
    known = 0
    for batch in batches(Mixing(mixup=0.5), labelled=labelled).epoch(0):
        has_label = batch.labels[:, 0].isfinite()
        assert torch.equal(has_label, labelled[batch.indices])
        known += int(has_label.sum())
    assert known == int(labelled.sum())


def test_sampling_draws_in_proportion_and_repeats() -> None:
    weights = torch.where(split().labels == 0, 9.0, 1.0)

    def drawn() -> torch.Tensor:
        found = batches(Mixing(), sampling=weights)
        return torch.cat([b.labels for e in range(20) for b in found.epoch(e)])

    share = float((drawn() == 0).float().mean())
    assert share == pytest.approx(0.75, abs=0.06)
    assert torch.equal(drawn(), drawn())
    with pytest.raises(ShapeError, match="sampling"):
        batches(Mixing(), sampling=weights[:3])


def test_a_negative_alpha_is_refused() -> None:
    with pytest.raises(RangeError, match="alpha"):
        Mixing(mixup=-1.0)
