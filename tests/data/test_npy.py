"""Arrays in a folder: the same as in one file, in memory or mapped, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.data.support import images

from didact._core.errors import DataError
from didact.data import Batches, Split, StreamedSplit, load

X, Y = images(40, 6, 6, 3), np.arange(40) % 4


def folder(path: Path, **arrays: Any) -> str:
    path.mkdir(exist_ok=True)
    for name, array in arrays.items():
        np.save(path / f"{name}.npy", array)
    return f"npy:{path}"


@pytest.mark.parametrize("x", [X, X[..., 0], np.linspace(0, 1, 40 * 5).reshape(40, 5)])
def test_mapped_read_and_in_one_file_are_the_same_batches(tmp_path: Path, x: Any) -> None:
    np.savez(tmp_path / "one.npz", x=x, y=Y)
    spec = folder(tmp_path / "several", x=x, y=Y)
    whole, mapped = load(spec), load(spec, memory_budget=10)
    assert isinstance(whole.train, Split)
    assert isinstance(mapped.train, StreamedSplit)
    expected = load(f"npz:{tmp_path / 'one.npz'}")
    for data in (whole, mapped):
        assert data.mean == pytest.approx(expected.mean)
        for part in ("train", "validation", "test"):
            given, wanted = (
                list(
                    Batches(getattr(d, part), batch_size=7, seed=1, shuffle=True,
                            mean=expected.mean, std=expected.std).epoch(0)
                )
                for d in (data, expected)
            )  # fmt: skip
            for one, other in zip(given, wanted, strict=True):
                assert torch.equal(one.images, other.images)
                assert torch.equal(one.labels, other.labels)


def test_a_test_set_and_worker_processes(tmp_path: Path) -> None:
    spec = folder(tmp_path / "a", x=X, y=Y, x_test=X[:8], y_test=Y[:8], classes=list("abcd"))
    data = load(spec, memory_budget=10)
    assert len(data.test) == 8
    assert data.class_names == ("a", "b", "c", "d")
    batches = Batches(data.test, batch_size=4, mean=data.mean, std=data.std, workers=1)
    plain = Batches(data.test, batch_size=4, mean=data.mean, std=data.std)
    for one, other in zip(batches.epoch(0), plain.epoch(0), strict=True):
        assert torch.equal(one.images, other.images)


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"x": X}, "no 'y'"),
        ({"y": Y}, "no 'x'"),
        ({"x": X, "y": Y[:39]}, "40"),
        ({"x": X / 255, "y": Y}, "uint8"),
        ({"x": X, "y": Y, "x_test": X}, "both"),
    ],
)
@pytest.mark.parametrize("budget", [10, 10**9])
def test_wrong_arrays_are_one_sentence(
    tmp_path: Path, arrays: dict[str, Any], word: str, budget: int
) -> None:
    with pytest.raises(DataError, match=word):
        load(folder(tmp_path / "a", **arrays), memory_budget=budget)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder"):
        load(f"npy:{tmp_path / 'none'}")
    spec = folder(tmp_path / "a", y=Y)
    (tmp_path / "a" / "x.npy").write_bytes(b"\x93NUMPY but not for long")
    with pytest.raises(DataError, match="damaged"):
        load(spec)
    np.save(tmp_path / "a" / "x.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="damaged"):
        load(spec)
