"""Pictures that would silently be read otherwise than they are seen."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from didact._core.errors import DataError
from didact.data import load
from didact.data.loading.image_files import image_header, read_image

# What each orientation of a camera means, as NumPy's operations on the stored pixels.
UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).T,
    8: np.rot90,
}


@pytest.mark.parametrize("suffix", ["png", "tiff"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_picture_is_turned_as_the_camera_says(
    tmp_path: Path, orientation: int, suffix: str
) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", exif=exif)
    expected = UPRIGHT[orientation](pixels)
    if suffix == "tiff" and orientation > 4:
        with pytest.raises(DataError, match="lies on its side; expected one that is upright"):
            image_header(tmp_path / "a.tiff")
        return
    assert image_header(tmp_path / f"a.{suffix}")[:2] == expected.shape
    found = read_image(tmp_path / f"a.{suffix}", colour=False)
    assert torch.equal(found[0], torch.from_numpy(expected.copy()))


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".tiff", ".png"])
def test_several_pictures_in_one_file_are_refused(tmp_path: Path, suffix: str) -> None:
    first, second = (Image.new("L", (4, 4), shade) for shade in (0, 200))
    path = tmp_path / f"a{suffix}"
    first.save(path, save_all=True, append_images=[second])
    with pytest.raises(DataError, match="several pictures"):
        image_header(path)


def test_members_that_are_not_used_are_not_read(tmp_path: Path) -> None:
    """A few kilobytes that would unpack to a gigabyte."""
    path = tmp_path / "a.npz"
    labels = np.arange(30) % 3
    np.savez(path, x=np.zeros((30, 4, 4), np.uint8), y=labels)
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1073741824,), }"
    head = (header + " " * (117 - len(header)) + "\n").encode()
    whole = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.npy", whole + bytes(1 << 20))  # cut off: reading it would fail
    assert len(load(f"npz:{path}", validation=0.2).test) > 0


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_more_than_8_bits_are_refused_wherever_a_picture_is_read(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.tiff"
    pixels = np.arange(16).reshape(4, 4) * 4000
    kinds = {"I;16": np.uint16, "I": np.int32, "F": np.float32}
    Image.fromarray(pixels.astype(kinds[mode])).save(path)
    for read in (image_header, lambda file: read_image(file, colour=False)):
        with pytest.raises(DataError, match="expected 8 bits per channel"):
            read(path)
