"""A data set lies in memory once, is read once for all seeds, and may be resized."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.data.support import images

from didact._core.errors import RangeError
from didact.data import Batches, Split, load, prepare, read_source
from didact.data.splits.resized import resized

PEAK = """
import resource, sys
from didact.data import Batches, load
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
data = load("npz:" + sys.argv[1], seed=3)
batches = Batches(data.train, batch_size=64, shuffle=True, mean=data.mean, std=data.std,
                  augment=sys.argv[2], cache_bytes=0)
for number, batch in zip(range(20), batches.epoch(0)):
    assert batch.images.is_contiguous()
print(peak() - before)
"""


@pytest.mark.parametrize("augment", ["none", "crop-flip"])
def test_a_large_npz_costs_little_more_than_its_images(tmp_path: Path, augment: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40_000, 32, 32, 3), dtype=np.uint8)
    path = tmp_path / "large.npz"
    np.savez(path, x=pixels, y=np.arange(40_000) % 10)
    command = [sys.executable, "-c", PEAK, str(path), augment]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    factor = int(done.stdout) / pixels.nbytes
    fixed = 60e6 / pixels.nbytes  # what the first batches and statistics take, whatever the size
    assert factor < 1.3 + fixed, f"{factor:.2f} times the size of the images"


def whole() -> Split:
    pixels = torch.from_numpy(images(12, 5, 4, 3).transpose(0, 3, 1, 2).copy())
    return Split(pixels, torch.arange(12) % 3)


def test_a_subset_of_a_subset_shares_its_images() -> None:
    split = whole()
    part = split.subset(torch.tensor([7, 3, 3, 9])).subset(torch.tensor([2, 0]))
    assert part.whole is split.whole
    assert part.labels.tolist() == [0, 1]
    assert torch.equal(part.images, split.images[[3, 7]])
    assert torch.equal(part.take(torch.tensor([1])), split.images[[7]])
    renamed = part.with_labels(torch.tensor([5, 5]))
    assert torch.equal(renamed.images, part.images)
    again = pickle.loads(pickle.dumps(part))
    assert torch.equal(again.images, part.images)
    assert again.labels.tolist() == [0, 1]
    assert part.image_shape == (3, 5, 4)


@pytest.mark.parametrize("augment", ["none", "crop-flip-brightness"])
@pytest.mark.parametrize("cache", [0, 2**30])
def test_batches_of_a_subset_are_those_of_a_copy(augment: str, cache: int) -> None:
    part = whole().subset(torch.tensor([8, 1, 5, 2, 11]))
    seen = []
    for split in (part, Split(part.images.clone(), part.labels)):
        batches = Batches(
            split, batch_size=2, shuffle=True, augment=augment, mean=(0.5,) * 3, std=(0.3,) * 3,
            cache_bytes=cache,
        )  # fmt: skip
        seen.append(list(batches.epoch(1)))
    for one, other in zip(*seen, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)


def test_seeds_are_prepared_from_one_reading() -> None:
    source = read_source("digits")
    for seed in (0, 5):
        one, other = (
            prepare(source, seed=seed, labelled=0.2),
            load("digits", seed=seed, labelled=0.2),
        )
        assert one.train.whole is source.parts.train.whole
        assert torch.equal(one.train.images, other.train.images)
        assert torch.equal(one.labelled, other.labelled)
        assert torch.equal(one.validation.labels, other.validation.labels)
        assert (one.mean, one.std) == (other.mean, other.std)


def write_sizes(root: Path) -> None:
    for label, shade in (("dark", 20), ("light", 220)):
        for number, size in enumerate([(8, 6), (6, 8), (20, 10), (5, 5), (7, 7)]):
            path = root / label / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.new("RGB", size, (shade, shade, 0)).save(path)


@pytest.mark.parametrize("budget", [2**30, 0])
def test_a_folder_of_many_sizes_is_resized(tmp_path: Path, budget: int) -> None:
    write_sizes(tmp_path)
    data = load(f"folder:{tmp_path}", resize=(6, 4), validation=0, memory_budget=budget)
    assert data.image_shape == (3, 6, 4)
    for split in (data.train, data.test):
        shades = split.images[:, 0].flatten(1)
        assert (shades == torch.tensor([20, 220])[split.labels].unsqueeze(1)).all()


@pytest.mark.parametrize("size", [4, 16, (12, 6)])
def test_other_data_is_resized_too(size: int | tuple[int, int]) -> None:
    data, plain = load("digits", resize=size), load("digits")
    assert data.image_shape[1:] == ((size, size) if isinstance(size, int) else size)
    assert torch.equal(data.train.labels, plain.train.labels)
    before, after = plain.train.images.float().mean(), data.train.images.float().mean()
    assert abs(float(after - before)) < 0.15 * float(before) or isinstance(size, tuple)


def test_a_resize_below_one_pixel_is_refused() -> None:
    with pytest.raises(RangeError, match="resize is 0"):
        load("digits", resize=0)


def test_resized_images_are_cut_at_the_centre() -> None:
    image = torch.zeros(1, 1, 4, 12)
    image[..., 4:8] = 1.0
    split = Split(image, torch.tensor([0]))
    assert torch.equal(resized(split, (4, 4)).images, torch.ones(1, 1, 4, 4))
    assert torch.equal(
        resized(split, (8, 8)).take(torch.tensor([0]))[..., 2:6], torch.ones(1, 1, 8, 4)
    )
