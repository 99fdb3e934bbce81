"""Batches: what they contain, that they can be repeated, and how processes share them."""

import itertools

import pytest
import torch

from didact._core.errors import (
    DtypeError,
    RangeError,
    ShapeError,
    UnknownNameError,
    UsageError,
)
from didact.data import AUGMENTATIONS, Batch, Batches, Split

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


def split(count: int = 50, side: int = 8) -> Split:
    generator = torch.Generator().manual_seed(count)
    images = torch.randint(256, (count, 3, side, side), generator=generator, dtype=torch.uint8)
    return Split(images, torch.arange(count) % 7)


def batches(data: Split | None = None, **options: object) -> Batches:
    given = {"batch_size": 8, "seed": 3, "shuffle": True, "mean": MEAN, "std": STD, **options}
    return Batches(data if data is not None else split(), **given)  # type: ignore[arg-type]


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one[:3], other[:3], strict=True))


def normalised(images: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return (images.float() / 255 - mean) / std


def test_an_epoch_has_every_image_once_normalised_with_its_label() -> None:
    data = split()
    seen = list(batches(data).epoch(0))
    assert [len(b.labels) for b in seen] == [8] * 6 + [2]
    assert len(batches(data)) == 7
    indices = torch.cat([b.indices for b in seen])
    assert sorted(indices.tolist()) == list(range(50))
    for batch in seen:
        assert batch.images.dtype == torch.float32
        torch.testing.assert_close(batch.images, normalised(data.images[batch.indices]))
        assert torch.equal(batch.labels, data.labels[batch.indices])
        assert (batch.weight, batch.label_weight) == (1.0, 1.0)


def test_without_shuffling_the_order_is_that_of_the_split() -> None:
    indices = torch.cat([b.indices for b in batches(shuffle=False).epoch(5)])
    assert indices.tolist() == list(range(50))


@pytest.mark.parametrize("augment", AUGMENTATIONS)
@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_an_epoch_is_a_function_of_seed_number_and_place(augment: str, cache_bytes: int) -> None:
    whole = list(batches(augment=augment).epoch(4))
    torch.manual_seed(99)
    fresh = batches(augment=augment, cache_bytes=cache_bytes)
    list(fresh.epoch(1))
    for start in (0, 3, 7):
        later = list(fresh.epoch(4, start))
        assert len(later) == 7 - start
        assert all(same(a, b) for a, b in zip(whole[start:], later, strict=True))
    for other in (batches(augment=augment).epoch(5), batches(augment=augment, seed=4).epoch(4)):
        assert not same(whole[0], next(other))


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    list(batches(augment="crop-flip-brightness").epoch(0))
    assert torch.equal(torch.get_rng_state(), before)


def test_smaller_batches_see_the_same_images_in_the_same_order() -> None:
    whole = [b.images for b in batches(augment="crop-flip", batch_size=16).epoch(2)]
    small = [b.images for b in batches(augment="crop-flip", batch_size=4).epoch(2)]
    assert torch.equal(torch.cat(whole), torch.cat(small))


@pytest.mark.parametrize(
    ("count", "world_size", "batch_size"),
    [
        (64, 2, 8),
        (50, 2, 8),
        (51, 2, 8),
        (50, 4, 4),
        (49, 4, 4),
        (33, 4, 8),
        (3, 4, 8),
        (97, 3, 32),
    ],
)
def test_processes_share_the_batches_of_one(count: int, world_size: int, batch_size: int) -> None:
    data = split(count)
    one = list(batches(data, augment="crop-flip", batch_size=batch_size * world_size).epoch(1))
    ranks = [
        list(
            batches(
                data, augment="crop-flip", batch_size=batch_size, rank=rank, world_size=world_size
            ).epoch(1)
        )
        for rank in range(world_size)
    ]
    assert {len(rank) for rank in ranks} == {len(one)}
    for whole, *shards in zip(one, *ranks, strict=True):
        assert all(len(shard.labels) >= 1 for shard in shards)
        counted = [shard for shard in shards if shard.weight]
        assert torch.equal(torch.cat([s.images for s in counted]), whole.images)
        assert torch.equal(torch.cat([s.indices for s in counted]), whole.indices)
        lengths = [len(s.labels) for s in counted]
        assert max(lengths) - min(lengths) <= 1
        mean = sum(s.weight * s.images.mean() for s in shards) / world_size
        torch.testing.assert_close(mean, whole.images.mean())


def test_a_rank_with_nothing_gets_one_image_that_does_not_count() -> None:
    shards = [next(batches(split(3), rank=r, world_size=4).epoch(0)) for r in range(4)]
    assert [s.weight for s in shards] == pytest.approx([4 / 3, 4 / 3, 4 / 3, 0])
    assert shards[3].label_weight == 0
    assert torch.equal(shards[3].images, shards[2].images)


def test_an_image_that_stands_in_does_not_count_as_labelled() -> None:
    labelled = torch.tensor([False, True, True])
    shards = [
        next(batches(split(3), shuffle=False, labelled=labelled, rank=r, world_size=4).epoch(0))
        for r in range(4)
    ]
    assert [s.labels.tolist() for s in shards] == [[-1], [1], [2], [2]]
    assert [s.label_weight for s in shards] == [0, 2, 2, 0]


def test_means_over_labelled_images_are_weighted_to_that_of_the_global_batch() -> None:
    data = split(51)
    labelled = torch.arange(51) % 3 == 0
    one = list(batches(data, batch_size=16, labelled=labelled).epoch(0))
    ranks = [
        list(batches(data, batch_size=4, labelled=labelled, rank=r, world_size=4).epoch(0))
        for r in range(4)
    ]
    for whole, *shards in zip(one, *ranks, strict=True):
        expected = whole.images[whole.labels >= 0].sum() / max(int((whole.labels >= 0).sum()), 1)
        found = torch.zeros(())
        for shard in shards:
            used = shard.labels >= 0
            if shard.label_weight:
                found += shard.label_weight * shard.images[used].sum() / used.sum() / 4
        torch.testing.assert_close(found, expected)


def test_labels_that_may_not_be_used_are_minus_one() -> None:
    data = split()
    labelled = torch.arange(50) < 10
    for batch in batches(data, labelled=labelled).epoch(0):
        expected = torch.where(batch.indices < 10, data.labels[batch.indices], -1)
        assert torch.equal(batch.labels, expected)


def test_drop_last_leaves_the_short_batch_out_on_every_rank() -> None:
    assert [len(b.labels) for b in batches(drop_last=True).epoch(0)] == [8] * 6
    for rank in range(4):
        dropped = batches(drop_last=True, rank=rank, world_size=4)
        assert [len(b.labels) for b in dropped.epoch(0)] == [8]
    with pytest.raises(UsageError, match="there are 50 images and a global batch has 64"):
        batches(batch_size=64, drop_last=True)


def test_an_empty_split_has_no_batches() -> None:
    empty = Split(torch.empty(0, 3, 8, 8, dtype=torch.uint8), torch.empty(0, dtype=torch.int64))
    assert len(batches(empty)) == 0
    assert list(batches(empty, augment="crop").epoch(0)) == []


def test_float_images_are_normalised_in_their_own_units() -> None:
    data = split()
    floats = Split(data.images.float() / 255, data.labels)
    kept = floats.images.clone()
    for batch in batches(floats, augment="none").epoch(0):
        torch.testing.assert_close(batch.images, normalised(data.images[batch.indices]))
    list(batches(floats, augment="brightness", cache_bytes=0).epoch(0))
    assert torch.equal(floats.images, kept)


def brute_force_windows(image: torch.Tensor, padding: int) -> list[torch.Tensor]:
    """Every crop and flip of one image, by plain slicing."""
    channels, height, width = image.shape
    padded = torch.zeros(channels, height + 2 * padding, width + 2 * padding, dtype=image.dtype)
    padded[:, padding : padding + height, padding : padding + width] = image
    steps = range(2 * padding + 1)
    crops = [padded[:, y : y + height, x : x + width] for y, x in itertools.product(steps, steps)]
    return crops + [crop.flip(-1) for crop in crops]


@pytest.mark.parametrize(("augment", "padding"), [("flip", 0), ("crop", 2), ("crop-flip", 2)])
@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_augmented_images_are_crops_and_flips_all_of_them(
    augment: str, padding: int, cache_bytes: int
) -> None:
    data = split(4, side=16)
    source = batches(data, augment=augment, batch_size=4, cache_bytes=cache_bytes)
    seen: list[set[int]] = [set() for _ in range(4)]
    possible = [normalised(torch.stack(brute_force_windows(i, padding))) for i in data.images]
    for epoch in range(300):
        for batch in source.epoch(epoch):
            for image, index in zip(batch.images, batch.indices.tolist(), strict=True):
                distance = (possible[index] - image).abs().amax(dim=(1, 2, 3))
                place = int(distance.argmin())
                assert distance[place] < 1e-5
                seen[index].add(place)
    crops = (2 * padding + 1) ** 2
    expected = set(range(2 * crops if "flip" in augment else crops))
    assert all(places == expected for places in seen)


def test_brightness_scales_and_stays_within_the_range() -> None:
    white = Split(torch.full((64, 3, 8, 8), 250, dtype=torch.uint8), torch.zeros(64).long())
    images = next(batches(white, augment="brightness", batch_size=64).epoch(0)).images
    grey = images * torch.tensor(STD).view(1, 3, 1, 1) + torch.tensor(MEAN).view(1, 3, 1, 1)
    factors = grey[:, 0, 0, 0] * 255 / 250
    assert (grey - grey[:, :1, :1, :1]).abs().max() < 1e-5
    assert 0.75 - 1e-5 <= factors.min() < 0.85
    assert factors.max() == pytest.approx(255 / 250, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, RangeError, "batch_size is 0"),
        ({"rank": 2, "world_size": 2}, RangeError, "rank is 2 of 2 processes"),
        ({"world_size": 0}, RangeError, "of 0 processes"),
        ({"workers": -1}, RangeError, "workers is -1"),
        ({"mean": [0.5]}, ShapeError, "1 and 3 numbers; expected 3"),
        ({"std": [0.2, 0.0, 0.1]}, RangeError, "expected numbers above 0"),
        ({"labelled": torch.ones(49, dtype=torch.bool)}, ShapeError, "one for each image"),
        ({"labelled": torch.ones(50)}, ShapeError, "expected bool"),
        ({"augment": "crop-flop"}, UnknownNameError, "did you mean 'crop-flip'"),
    ],
)
def test_wrong_options(options: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        batches(**options)


@pytest.mark.parametrize(("number", "start"), [(-1, 0), (0, 8), (0, -1)])
def test_an_epoch_that_does_not_exist_is_refused_at_once(number: int, start: int) -> None:
    with pytest.raises(RangeError, match=r"expected an epoch of at least 0 and a start in 0\.\.7"):
        batches().epoch(number, start)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("augment", AUGMENTATIONS)
@pytest.mark.parametrize("cache_bytes", [0, 2**30])
def test_a_gpu_sees_the_same_batches(augment: str, cache_bytes: int) -> None:
    options = {"augment": augment, "cache_bytes": cache_bytes}
    pairs = zip(
        batches(**options).epoch(1), batches(**options, device="cuda").epoch(1), strict=True
    )
    for here, there in pairs:
        assert there.images.is_cuda
        torch.testing.assert_close(there.images.cpu(), here.images)
        assert torch.equal(there.labels.cpu(), here.labels)
        assert torch.equal(there.indices.cpu(), here.indices)


def test_a_split_says_what_it_is_in_one_line() -> None:
    assert repr(split()) == "Split(50 images of (3, 8, 8))"


@pytest.mark.parametrize(
    ("images", "labels", "error"),
    [
        (torch.zeros(2, 8, 8, dtype=torch.uint8), torch.zeros(2).long(), ShapeError),
        (torch.zeros(2, 1, 8, 8, dtype=torch.uint8), torch.zeros(3).long(), ShapeError),
        (torch.zeros(2, 1, 8, 8, dtype=torch.int32), torch.zeros(2).long(), DtypeError),
        (torch.zeros(2, 1, 8, 8), torch.zeros(2), ShapeError),
        (torch.zeros(2, 1, 8, 8), torch.zeros(2, 3).double(), DtypeError),
    ],
)
def test_a_split_checks_its_tensors(
    images: torch.Tensor, labels: torch.Tensor, error: type[Exception]
) -> None:
    with pytest.raises(error):
        Split(images, labels)
