"""A user's own NumPy file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.data.support import images

from didact._core.errors import DataError, UsageError
from didact.data import load

Y = np.arange(20) % 4


def write(path: Path, **arrays: Any) -> str:
    np.savez_compressed(path / "own.npz", **arrays)
    return f"npz:{path / 'own.npz'}"


@pytest.mark.parametrize("layout", ["NHW", "NHWC", "NCHW", "NHW1"])
def test_every_layout_gives_channels_first(tmp_path: Path, layout: str) -> None:
    channels_first = images(20, 1 if layout in ("NHW", "NHW1") else 3, 5, 7)
    stored = {
        "NHW": channels_first[:, 0],
        "NHW1": channels_first.transpose(0, 2, 3, 1),
        "NHWC": channels_first.transpose(0, 2, 3, 1),
        "NCHW": channels_first,
    }[layout]
    spec = write(tmp_path, x=stored, y=Y, x_test=stored, y_test=Y.astype(np.uint8))
    data = load(spec, validation=0)
    assert torch.equal(data.train.images, torch.from_numpy(channels_first))
    assert torch.equal(data.test.labels, torch.from_numpy(Y))
    assert data.class_names == ("0", "1", "2", "3")


def test_is_test_says_which_are_the_test_images(tmp_path: Path) -> None:
    is_test = np.arange(20) >= 12
    spec = write(tmp_path, x=images(20, 5, 5), y=Y, is_test=is_test, classes=list("abcd"))
    data = load(spec, validation=0)
    assert torch.equal(data.test.images[:, 0], torch.from_numpy(images(20, 5, 5)[12:]))
    assert data.class_names == ("a", "b", "c", "d")


def test_without_a_word_a_fixed_fifth_is_the_test_set(tmp_path: Path) -> None:
    spec = write(tmp_path, x=images(20, 5, 5), y=Y)
    first, second = load(spec, seed=0), load(spec, seed=1)
    assert len(first.test) == 4
    assert sorted(first.test.labels.tolist()) == [0, 1, 2, 3]
    assert torch.equal(first.test.images, second.test.images)


X = images(20, 5, 5)
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no y": ({"x": X}, "has no 'y'; of .* it has x"),
    "floats": ({"x": X / 255, "y": Y}, "elements of type float64; expected uint8"),
    "5 channels": ({"x": images(20, 5, 5, 5), "y": Y}, "with 1 or 3 channels"),
    "no pixels": ({"x": images(20, 0, 5), "y": Y}, "images with pixels"),
    "text labels": ({"x": X, "y": Y.astype(str)}, "expected integers"),
    "too few labels": ({"x": X, "y": Y[:19]}, "20 images and 19 labels"),
    "negative": ({"x": X, "y": Y - 1}, "image 0 has label -1; expected 0 or more"),
    "beyond int64": ({"x": X, "y": Y.astype(np.uint64) + np.uint64(2**63)}, "has label"),
    "enormous": ({"x": X, "y": Y * 10**12}, "label 3000000000000 with only 20 images"),
    "1-based": ({"x": X, "y": Y + 1}, "class 0 .* has no training image"),
    "few names": ({"x": X, "y": Y, "classes": ["a", "b"]}, r"expected 0\.\.1"),
    "names twice": ({"x": X, "y": Y, "classes": [["a", "b"]]}, "classes has shape"),
    "odd is_test": ({"x": X, "y": Y, "is_test": Y}, "is_test is int64"),
    "all test": ({"x": X, "y": Y, "is_test": np.ones(20, bool)}, "no training image"),
    "no test": ({"x": X, "y": Y, "is_test": np.zeros(20, bool)}, "no test image"),
    "half a test": ({"x": X, "y": Y, "x_test": X}, "both x_test and y_test"),
    "other test size": (
        {"x": X, "y": Y, "x_test": images(20, 6, 5), "y_test": Y},
        r"test images are \(1, 6, 5\) and training images are \(1, 5, 5\)",
    ),
    "other test class": (
        {"x": X, "y": Y, "x_test": X, "y_test": Y + 1},
        r"test: image 3 has label 4; expected 0\.\.3",
    ),
    "nothing": ({"x": X[:0], "y": Y[:0]}, "no training image"),
    "one class": ({"x": X, "y": Y * 0}, "only one class"),
    "fewer than classes": ({"x": X[:2], "y": Y[:2], "x_test": X, "y_test": Y,
                            "classes": list("abcd")}, "fewer than the 4 classes"),
    "objects": ({"x": np.array([{}] * 20), "y": Y}, "plain arrays"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_arrays_are_one_error(tmp_path: Path, kind: str) -> None:
    arrays, message = WRONG[kind]
    with pytest.raises(DataError, match=message):
        load(write(tmp_path, **arrays))


@pytest.mark.parametrize("keep", [0, 1, 30, 0.3, 0.9])
def test_a_cut_off_file_is_one_error(tmp_path: Path, keep: float) -> None:
    write(tmp_path, x=X, y=Y)
    path = tmp_path / "own.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(DataError, match="is damaged or not"):
        load(f"npz:{path}")


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, x=X, y=Y)
    path = tmp_path / "own.npz"
    content = bytearray(path.read_bytes())
    content[200] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(DataError, match="is damaged or not"):
        load(f"npz:{path}")


def test_other_files_are_one_error(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", X)
    with pytest.raises(DataError, match="is one array"):
        load(f"npz:{tmp_path / 'one.npy'}")
    with pytest.raises(DataError, match="there is no file"):
        load(f"npz:{tmp_path / 'none.npz'}")
    with pytest.raises(UsageError, match="expected 'npz:PATH'"):
        load("npz")


@pytest.mark.parametrize(
    ("y", "task", "outputs"),
    [
        (Y + 0.5, "regression", 1),
        (np.eye(4)[Y], "soft-label", 4),
        ((np.eye(4)[Y] + np.eye(4)[0] > 0).astype(int), "multi-label", 4),
        (Y, "single-label", 4),
    ],
)
def test_rows_of_a_table_and_every_form_of_label(
    tmp_path: Path, y: Any, task: str, outputs: int
) -> None:
    np.savez(tmp_path / "table.npz", x=X.reshape(20, 25).astype(float), y=y)
    data = load(f"npz:{tmp_path / 'table.npz'}")
    assert (data.task, data.num_classes, data.image_shape) == (task, outputs, (25,))
    assert data.is_table
    assert len(data.train) + len(data.validation) + len(data.test) == 20
    assert len(data.mean) == 25
