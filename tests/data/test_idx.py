"""IDX files: read back exactly, and every kind of damage is one clear error."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.data.support import idx_bytes, images, write_idx_set

from didact._core.errors import DataError
from didact.data import load
from didact.data.sources import _idx
from didact.data.sources._idx import read_idx


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("place", ["", "{name}", "{torchvision}/raw"])
def test_a_set_is_read_from_its_four_files(
    tmp_path: Path, name: str, zipped: bool, place: str
) -> None:
    torchvision = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}[name]
    write_idx_set(tmp_path / place.format(name=name, torchvision=torchvision), zipped=zipped)
    data = load(name, data_dir=tmp_path, validation=0)
    assert torch.equal(data.train.images[:, 0], torch.from_numpy(images(40, 6, 5, seed=40)))
    assert torch.equal(data.test.images[:, 0], torch.from_numpy(images(20, 6, 5, seed=20)))
    assert data.train.labels.tolist() == [n % 10 for n in range(40)]
    assert data.image_shape == (1, 6, 5)
    assert data.num_classes == 10


def damaged(content: bytes) -> dict[str, tuple[bytes, str]]:
    zipped = gzip.compress(content)
    return {
        "cut off": (content[:-1], "is cut off"),
        "too long": (content + b"x", "longer than it says"),
        "other magic": (b"PK\x03\x04" + content[4:], "begins with"),
        "floats": (bytes((0, 0, 13, 3)) + content[4:], "begins with"),
        "labels for images": (idx_bytes(np.zeros(3, np.uint8)), "begins with"),
        "empty": (b"", "begins with"),
        "only half a header": (content[:9], "header"),
        "absurd size": (content[:4] + b"\xff" * 12 + content[16:], "is cut off"),
        "gz cut off": (zipped[:-12], "damaged or incomplete"),
        "gz of nothing": (zipped[:2], "damaged or incomplete"),
        "gz with a wrong checksum": (zipped[:-8] + b"abcd" + zipped[-4:], "damaged"),
        "gz of an impossible block": (zipped[:10] + b"\xff" * (len(zipped) - 10), "damaged"),
        "gz too long": (gzip.compress(content + bytes(10**6)), "longer than it says"),
    }


CONTENT = idx_bytes(images(3, 6, 5))


@pytest.mark.parametrize("kind", damaged(CONTENT))
def test_damage_is_one_error_that_names_the_file(tmp_path: Path, kind: str) -> None:
    content, message = damaged(CONTENT)[kind]
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, dimensions=3)
    assert str(path) in str(caught.value)


def test_a_missing_file_of_four_is_named(tmp_path: Path) -> None:
    write_idx_set(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"not t10k-labels-idx1-ubyte\.gz; get them from http"):
        load("mnist", data_dir=tmp_path)


def test_labels_outside_the_classes_are_refused(tmp_path: Path) -> None:
    write_idx_set(tmp_path)
    labels = np.arange(40, dtype=np.uint8) % 11
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    with pytest.raises(DataError, match=r"image 10 has label 10; expected 0\.\.9"):
        load("mnist", data_dir=tmp_path)


def test_as_many_labels_as_images(tmp_path: Path) -> None:
    write_idx_set(tmp_path)
    labels = np.zeros(39, dtype=np.uint8)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(labels)))
    with pytest.raises(DataError, match="40 images and 39 labels"):
        load("mnist", data_dir=tmp_path)


def test_the_files_of_another_set_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx_set(tmp_path)
    import hashlib

    content = (tmp_path / "train-images-idx3-ubyte.gz").read_bytes()
    checksum = hashlib.md5(content).hexdigest()
    monkeypatch.setitem(_idx._set_of_checksum, checksum, "fashion-mnist")
    with pytest.raises(DataError, match="is a file of fashion-mnist, not of mnist"):
        load("mnist", data_dir=tmp_path)
    assert load("fashion-mnist", data_dir=tmp_path).num_classes == 10
