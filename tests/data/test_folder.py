"""Images in class folders, in memory or streamed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.data.support import images, write_class_folders, write_png

from didact._core.errors import DataError
from didact.data import Batches, Split, StreamedSplit, load


def write_splits(root: Path, *splits: str) -> Path:
    for split in splits:
        write_class_folders(root / split)
    return root


@pytest.mark.parametrize("budget", [2**30, 0])
def test_train_and_test_folders(tmp_path: Path, budget: int) -> None:
    write_splits(tmp_path, "train", "test")
    data = load(f"folder:{tmp_path}", validation=0, memory_budget=budget)
    assert isinstance(data.train, Split if budget else StreamedSplit)
    assert data.class_names == ("ant", "bee")
    assert data.image_shape == (3, 6, 4)
    assert data.train.labels.tolist() == [0] * 5 + [1] * 5
    expected = np.concatenate([images(5, 6, 4, 3, seed=n) for n in (0, 1)]).transpose(0, 3, 1, 2)
    assert torch.equal(data.train.images, torch.from_numpy(expected))
    assert torch.equal(data.test.take(torch.tensor([7])), torch.from_numpy(expected[[7]]))


def test_streamed_batches_equal_resident_ones(tmp_path: Path) -> None:
    write_splits(tmp_path, "train", "test")
    seen = []
    for budget, workers in ((2**30, 0), (0, 0), (0, 1)):
        data = load(f"folder:{tmp_path}", validation=2, memory_budget=budget)
        batches = Batches(
            data.train, batch_size=3, seed=4, shuffle=True, augment="crop-flip-brightness",
            mean=data.mean, std=data.std, labelled=data.labelled, workers=workers,
        )  # fmt: skip
        seen.append([*batches.epoch(2), *batches.epoch(3, start=1)])
    for streamed in seen[1:]:
        assert len(streamed) == len(seen[0]) == 5
        for one, other in zip(seen[0], streamed, strict=True):
            assert torch.equal(one.images, other.images)
            assert torch.equal(one.labels, other.labels)
            assert torch.equal(one.indices, other.indices)


def test_its_own_validation_folder_is_used(tmp_path: Path) -> None:
    write_splits(tmp_path, "train", "test", "val")
    data = load(f"folder:{tmp_path}")
    assert (len(data.train), len(data.validation), len(data.test)) == (10, 10, 10)


def test_class_folders_alone_are_split_the_same_for_every_seed(tmp_path: Path) -> None:
    write_class_folders(tmp_path)
    first, second = (load(f"folder:{tmp_path}", seed=seed) for seed in (0, 1))
    assert first.test.labels.tolist() == [0, 1]
    assert torch.equal(first.test.images, second.test.images)
    assert (len(first.train), len(first.validation)) == (6, 2)


def test_grey_images_have_one_channel_and_mixed_ones_three(tmp_path: Path) -> None:
    write_class_folders(tmp_path, colour=False)
    assert load(f"folder:{tmp_path}").image_shape == (1, 6, 4)
    write_png(tmp_path / "ant" / "colour.png", images(1, 6, 4, 3)[0])
    assert load(f"folder:{tmp_path}").image_shape == (3, 6, 4)


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    write_class_folders(tmp_path)
    for name in (".DS_Store", "ant/notes.txt", "ant/.hidden.png", ".git/config"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("not an image")
    assert load(f"folder:{tmp_path}").num_classes == 2


@pytest.mark.parametrize("budget", [2**30, 0])
def test_an_image_of_another_size_is_named(tmp_path: Path, budget: int) -> None:
    write_class_folders(tmp_path)
    odd = write_png(tmp_path / "bee" / "odd.png", images(1, 6, 5, 3)[0])
    with pytest.raises(DataError, match=rf"{odd} is 5 x 6 pixels and .* is 4 x 6"):
        load(f"folder:{tmp_path}", memory_budget=budget)


@pytest.mark.parametrize("keep", [0, 20, 80])
def test_a_cut_off_image_is_named(tmp_path: Path, keep: int) -> None:
    write_class_folders(tmp_path)
    path = tmp_path / "ant" / "3.png"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=rf"{path} cannot be read as an image"):
        load(f"folder:{tmp_path}")


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_breaks_later_is_named(tmp_path: Path, workers: int) -> None:
    write_class_folders(tmp_path)
    data = load(f"folder:{tmp_path}", memory_budget=0)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:80])
    batches = Batches(data.train, batch_size=4, mean=data.mean, std=data.std, workers=workers)
    with pytest.raises(DataError, match=r"^/\S+\.png cannot be read as an image"):
        next(batches.epoch(0))


def test_sixteen_bits_are_refused(tmp_path: Path) -> None:
    write_class_folders(tmp_path)
    Image.fromarray(np.zeros((6, 4), dtype=np.uint16)).save(tmp_path / "ant" / "deep.png")
    with pytest.raises(DataError, match=r"deep\.png has pixels of mode I;16; expected 8 bits"):
        load(f"folder:{tmp_path}")


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_class_folders(tmp_path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(DataError, match=r"cannot be read as an image .*bomb"):
        load(f"folder:{tmp_path}")


def test_empty_and_missing_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder"):
        load(f"folder:{tmp_path / 'none'}")
    with pytest.raises(DataError, match="has no class folders"):
        load(f"folder:{tmp_path}")
    write_class_folders(tmp_path)
    (tmp_path / "cow").mkdir()
    with pytest.raises(DataError, match="cow has no image; expected files that end in"):
        load(f"folder:{tmp_path}")


def test_splits_must_have_the_same_classes(tmp_path: Path) -> None:
    write_splits(tmp_path, "train")
    with pytest.raises(DataError, match="a folder train but no folder test"):
        load(f"folder:{tmp_path}")
    write_splits(tmp_path, "test")
    (tmp_path / "test" / "bee").rename(tmp_path / "test" / "cow")
    with pytest.raises(DataError, match="only there: cow; missing there: bee"):
        load(f"folder:{tmp_path}")
    shutil.rmtree(tmp_path / "test" / "cow")
    with pytest.raises(DataError, match=r"test has other classes than .*train: missing there: bee"):
        load(f"folder:{tmp_path}")


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    write_class_folders(tmp_path, classes=("ant",))
    with pytest.raises(DataError, match="only one class"):
        load(f"folder:{tmp_path}")
