"""Writes tiny files of each format, and says what is in them."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Bytes = npt.NDArray[np.uint8]


def images(count: int, *shape: int, seed: int = 0) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def idx_bytes(array: Bytes) -> bytes:
    header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write_idx_set(folder: Path, *, zipped: bool = True, train: int = 40, test: int = 20) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", train), ("t10k", test)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        for kind, array in (
            ("images-idx3", images(count, 6, 5, seed=count)),
            ("labels-idx1", labels),
        ):
            content = idx_bytes(array)
            path = folder / f"{part}-{kind}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(content) if zipped else content)


def cifar_pickle(pixels: Bytes, labels: list[int], key: str) -> bytes:
    return pickle.dumps({b"data": pixels, key.encode(): labels, b"batch_label": b"x"}, protocol=2)


def python2_cifar_pickle(pixels: bytes, count: int, labels: list[int]) -> bytes:
    """The opcodes that Python 2 wrote: byte strings, and numpy under its old module names."""
    size = struct.pack("<I", len(pixels))
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01(K" + bytes((count,)) + b"M\x00\x0ct"
        b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89T" + size + pixels + b"tb"
    )
    listed = b"](" + b"".join(b"K" + bytes((label,)) for label in labels) + b"e"
    return b"\x80\x02}(U\x04data" + array + b"U\x06labels" + listed + b"u."


CIFAR10_FILES = (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch")


def cifar10_members(per_file: int = 10) -> dict[str, bytes]:
    members = {
        name: cifar_pickle(
            images(per_file, 3072, seed=number), [n % 10 for n in range(per_file)], "labels"
        )
        for number, name in enumerate(CIFAR10_FILES)
    }
    names = [f"kind {n}".encode() for n in range(10)]
    members["batches.meta"] = pickle.dumps({b"label_names": names}, protocol=2)
    return members


def cifar100_members(count: int = 100) -> dict[str, bytes]:
    members = {
        name: cifar_pickle(images(count, 3072, seed=n), list(range(count)), "fine_labels")
        for n, name in enumerate(("train", "test"))
    }
    names = [f"kind {n}" for n in range(100)]
    members["meta"] = pickle.dumps({"fine_label_names": names}, protocol=2)
    return members


def write_tar(path: Path, folder: str, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def write_png(path: Path, array: Bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def write_class_folders(
    root: Path, *, classes: tuple[str, ...] = ("ant", "bee"), each: int = 5, colour: bool = True
) -> Path:
    for number, name in enumerate(classes):
        shape = (6, 4, 3) if colour else (6, 4)
        for index, image in enumerate(images(each, *shape, seed=number)):
            write_png(root / name / f"{index}.png", image)
    return root
