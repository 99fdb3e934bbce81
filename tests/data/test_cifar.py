"""The CIFAR archives: read back exactly, without running what a pickle asks to run."""

import io
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.data.support import (
    CIFAR10_FILES,
    cifar10_members,
    cifar100_members,
    cifar_pickle,
    images,
    python2_cifar_pickle,
    write_tar,
)

from didact._core.errors import DataError
from didact.data import load
from didact.data.sources._restricted_pickle import read_pickled_dict

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"


@pytest.mark.parametrize("form", ["archive", "archive in its own folder", "folder", "the folder"])
def test_cifar10_is_read_from_archive_or_folder(tmp_path: Path, form: str) -> None:
    data_dir = tmp_path
    if form.startswith("archive"):
        place = tmp_path / ("cifar10" if "own" in form else "")
        place.mkdir(exist_ok=True)
        write_tar(place / ARCHIVE, FOLDER, cifar10_members())
    else:
        (tmp_path / FOLDER).mkdir()
        for name, content in cifar10_members().items():
            (tmp_path / FOLDER / name).write_bytes(content)
        data_dir = tmp_path / FOLDER if form == "the folder" else tmp_path
    before = sorted(tmp_path.rglob("*"))
    data = load("cifar10", data_dir=data_dir, validation=0)
    assert data.class_names == tuple(f"kind {n}" for n in range(10))
    assert data.train.labels.tolist() == [n % 10 for n in range(10)] * 5
    second = torch.from_numpy(images(10, 3072, seed=1)).reshape(-1, 3, 32, 32)
    assert torch.equal(data.train.images[10:20], second)
    assert torch.equal(
        data.test.images, torch.from_numpy(images(10, 3072, seed=5)).reshape(-1, 3, 32, 32)
    )
    assert sorted(tmp_path.rglob("*")) == before, "reading must not write anything"


def test_cifar100_has_its_fine_labels(tmp_path: Path) -> None:
    write_tar(tmp_path / "cifar-100-python.tar.gz", "cifar-100-python", cifar100_members())
    data = load("cifar100", data_dir=tmp_path, validation=0)
    assert data.num_classes == 100
    assert data.class_names[3] == "kind 3"
    assert data.train.labels.tolist() == list(range(100))


def test_what_python_2_wrote_is_read() -> None:
    pixels = images(3, 3072)
    found = read_pickled_dict(python2_cifar_pickle(pixels.tobytes(), 3, [1, 2, 0]), "batch")
    np.testing.assert_array_equal(found["data"], pixels)
    assert found["labels"] == [1, 2, 0]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_pickle_protocol_is_read(protocol: int, order: str) -> None:
    array = np.array(images(4, 12), order=order)  # type: ignore[call-overload]
    content = pickle.dumps({"data": array, "labels": [0, 1]}, protocol=protocol)
    if protocol in (0, 1):  # these need copyreg, which no published file does
        content = pickle.dumps({"data": array, "labels": [0, 1]}, protocol=2)
    np.testing.assert_array_equal(read_pickled_dict(content, "batch")["data"], array)


class Bomb:
    """Unpickling it calls ``function(*arguments)``."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("function", [os.system, os.mkdir, eval, exec, open, getattr])
def test_a_pickle_bomb_does_not_go_off(tmp_path: Path, function: object, protocol: int) -> None:
    mark = tmp_path / "mark"
    arguments: dict[object, tuple[object, ...]] = {
        os.system: (f"touch {mark}",),
        os.mkdir: (str(mark),),
        eval: (f"__import__('os').mkdir({str(mark)!r})",),
        exec: (f"__import__('os').mkdir({str(mark)!r})",),
        open: (str(mark), "w"),
        getattr: (str(mark), "upper"),
    }
    bomb = pickle.dumps({"data": Bomb(function, *arguments[function])}, protocol=protocol)
    write_tar(tmp_path / ARCHIVE, FOLDER, {**cifar10_members(), "data_batch_3": bomb})
    with pytest.raises(DataError, match=r"data_batch_3 is not the data file .* Nothing in it was"):
        load("cifar10", data_dir=tmp_path)
    assert not mark.exists()
    if function is os.system:  # the bomb is a real one
        pickle.loads(bomb)
        assert mark.exists()


STRANGE = {
    "not a pickle": (b"hello", "is not the data file"),
    "empty": (b"", "is not the data file"),
    "cut off": (cifar_pickle(images(10, 3072), [0] * 10, "labels")[:-100], "is not the data file"),
    "a list": (pickle.dumps([1]), "not a dictionary"),
    "no data": (pickle.dumps({"labels": [1]}), "no array"),
    "other width": (cifar_pickle(images(2, 3000), [0, 1], "labels"), "no array"),
    "floats": (pickle.dumps({"data": np.zeros((1, 3072)), "labels": [1]}), "else than uint8"),
    "objects": (pickle.dumps({"data": np.array([{}] * 2)}), "else than uint8"),
    "no labels": (pickle.dumps({"data": images(1, 3072)}), "no list of whole numbers"),
    "half labels": (cifar_pickle(images(1, 3072), [0.5], "labels"), "no list of whole"),  # type: ignore[list-item]
    "negative": (cifar_pickle(images(1, 3072), [-1], "labels"), "outside the classes"),
    "huge": (cifar_pickle(images(1, 3072), [2**70], "labels"), "outside the classes"),
    "too large": (cifar_pickle(images(1, 3072), [10], "labels"), r"expected 0\.\.9"),
    "too few": (cifar_pickle(images(2, 3072), [0], "labels"), "2 images and 1 labels"),
    "class": (b"\x80\x02cnumpy\nndarray\n}b.", "is not the data file"),
    "no constructor": (b"\x80\x02cnumpy\nndarray\n)\x81}b.", "is not the data file"),
    "raw that does not fit": (python2_cifar_pickle(bytes(100), 3, [1]), "is not the data file"),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_strange_batch_is_one_error(tmp_path: Path, kind: str) -> None:
    content, message = STRANGE[kind]
    (tmp_path / FOLDER).mkdir()
    for name, whole in {**cifar10_members(), "data_batch_2": content}.items():
        (tmp_path / FOLDER / name).write_bytes(whole)
    with pytest.raises(DataError, match=message):
        load("cifar10", data_dir=tmp_path)


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_cut_off_archive_is_one_error(tmp_path: Path, keep: float) -> None:
    path = write_tar(tmp_path / ARCHIVE, FOLDER, cifar10_members())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep if keep >= 1 else keep * len(whole))])
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz (is damaged|lacks)"):
        load("cifar10", data_dir=tmp_path)


def test_an_archive_without_a_batch_names_it(tmp_path: Path) -> None:
    members = cifar10_members()
    del members["data_batch_4"]
    write_tar(tmp_path / ARCHIVE, FOLDER, members)
    with pytest.raises(DataError, match="lacks data_batch_4"):
        load("cifar10", data_dir=tmp_path)
    (tmp_path / FOLDER).mkdir()
    for name in CIFAR10_FILES[:2]:
        (tmp_path / FOLDER / name).write_bytes(members[name])
    with pytest.raises(DataError, match=r"lacks data_batch_3, .*extract"):
        load("cifar10", data_dir=tmp_path)


def test_members_that_are_links_or_lead_outside_are_left_alone(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(cifar10_members()["data_batch_1"])
    place = tmp_path / "place"
    place.mkdir()
    members = cifar10_members()
    del members["data_batch_1"]
    with tarfile.open(place / ARCHIVE, "w:gz") as archive:
        link = tarfile.TarInfo(f"{FOLDER}/data_batch_1")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(link)
        for name, content in {**members, "../../outside": b"x"}.items():
            info = tarfile.TarInfo(f"{FOLDER}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(DataError, match="lacks data_batch_1"):
        load("cifar10", data_dir=place)
    assert sorted(p.name for p in tmp_path.rglob("*")) == sorted(["secret", "place", ARCHIVE])
