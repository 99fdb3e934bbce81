"""A photograph of any form is opened as it is meant to be seen; what is none gets a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from apps.plates.tests.pictures import scene, write
from PIL import Image

from didact_plates import photographs as module
from didact_plates.errors import PictureError
from didact_plates.photographs import decode_picture, open_picture, photographs


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return scene()[0]


def far_apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tiff"])
def test_each_format(suffix: str, image: np.ndarray, tmp_path: Path) -> None:
    found, scale = open_picture(write(tmp_path / f"photo{suffix}", image))
    assert scale == 1
    assert found.dtype == np.uint8
    assert far_apart(found, image) < 4


def test_grey_palette_and_cmyk(image: np.ndarray, tmp_path: Path) -> None:
    rgb = Image.fromarray(np.ascontiguousarray(image[:, :, ::-1]))
    for mode, suffix, distance in (("L", "png", 40), ("P", "png", 20), ("CMYK", "jpg", 20),
                                   ("1", "png", 130)):  # fmt: skip
        path = tmp_path / f"{mode}.{suffix}"
        rgb.convert(mode).save(path)
        found, _ = open_picture(path)
        assert found.shape == image.shape
        assert far_apart(found, image) < distance, mode


def test_what_is_transparent_is_white(image: np.ndarray, tmp_path: Path) -> None:
    alpha = np.full(image.shape[:2], 255, np.uint8)
    alpha[:100] = 0
    found, _ = open_picture(write(tmp_path / "photo.png", np.dstack([image, alpha])))
    assert (found[:100] == 255).all()
    assert (found[100:] == image[100:]).all()


def test_sixteen_bits(image: np.ndarray, tmp_path: Path) -> None:
    deep = image.astype(np.uint16) * 257
    colours, _ = open_picture(write(tmp_path / "colour.png", deep))
    assert far_apart(colours, image) < 1
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    found, _ = open_picture(write(tmp_path / "grey.png", grey.astype(np.uint16) * 257))
    assert far_apart(found[:, :, 0], grey) < 1
    Image.fromarray(grey.astype(np.float32) / 255).save(tmp_path / "real.tiff")
    found, _ = open_picture(tmp_path / "real.tiff")
    assert far_apart(found[:, :, 0], grey) < 1


@pytest.mark.parametrize(("tag", "turn"), [(3, 2), (6, 3), (8, 1)])
def test_it_stands_as_the_camera_was_held(
    tag: int, turn: int, image: np.ndarray, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = tag
    rgb = np.ascontiguousarray(image[:, :, ::-1])
    Image.fromarray(rgb).save(tmp_path / "photo.jpg", exif=exif, quality=95)
    found, _ = open_picture(tmp_path / "photo.jpg")
    assert far_apart(found, np.rot90(image, turn)) < 4


def test_fifty_megapixels_are_read_at_a_part_of_their_size(tmp_path: Path) -> None:
    Image.new("L", (8192, 6144), 90).save(tmp_path / "large.jpg", quality=50)
    found, scale = open_picture(tmp_path / "large.jpg")
    assert max(found.shape) <= module.ENOUGH
    assert scale == pytest.approx(8192 / found.shape[1], rel=0.01)


def test_more_than_can_be_read_is_refused_by_its_size(
    tmp_path: Path, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "photo.png", image)
    monkeypatch.setattr(module, "MOST_PIXELS", 100_000)
    with pytest.raises(PictureError, match=r"photo.png has 0 megapixels \(640 x 480\), more than"):
        open_picture(path)


def test_what_is_no_picture_gets_a_sentence(tmp_path: Path, image: np.ndarray) -> None:
    content = write(tmp_path / "whole.png", image).read_bytes()
    cases = {
        "text.jpg": (b"This is a text file.\n" * 20, "is no picture"),
        "nothing.jpg": (b"", "is of no size"),
        "cut.png": (content[: len(content) // 2], "is damaged"),
        "cut.jpg": (cv2.imencode(".jpg", image)[1].tobytes()[:5000], "is damaged"),
    }
    for name, (bad, words) in cases.items():
        (tmp_path / name).write_bytes(bad)
        with pytest.raises(PictureError, match=f"{name} {words}"):
            open_picture(tmp_path / name)
        with pytest.raises(PictureError, match=words):
            decode_picture(bad, name)
    os.mkfifo(tmp_path / "pipe.jpg")
    (nameless,) = photographs([""])
    assert nameless.problem == "one of the photographs has no name"
    with pytest.raises(PictureError, match="is no regular file"):
        open_picture(tmp_path / "pipe.jpg")
    for path, words in ((tmp_path / "none.jpg", "there is no file"), (tmp_path, "is a folder")):
        with pytest.raises(PictureError, match=words):
            open_picture(path)


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_wrong_bytes_is_read_or_gets_a_sentence(seed: int, image: np.ndarray) -> None:
    rng = np.random.default_rng(seed)
    suffix = (".jpg", ".png", ".bmp", ".webp", ".tiff")[seed % 5]
    content = bytearray(cv2.imencode(suffix, image[::4, ::4])[1].tobytes())
    for place in rng.integers(0, min(len(content), 300), 12):
        content[place] = int(rng.integers(256))
    try:
        found, _ = decode_picture(bytes(content), "photo")
    except PictureError:
        return
    assert found.dtype == np.uint8


def test_a_folder_with_what_is_below_it(tmp_path: Path, image: np.ndarray) -> None:
    (tmp_path / "b").mkdir()
    for name in ("2.jpg", "b/1.PNG", "b/.hidden.jpg"):
        write(tmp_path / name.lower(), image)
    (tmp_path / "b/1.png").rename(tmp_path / "b/1.PNG")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "a.jpg").write_text("no picture either")
    found = list(photographs([str(tmp_path)]))
    assert [Path(one.name).name for one in found] == ["2.jpg", "a.jpg", "1.PNG"]
    assert [one.image is None for one in found] == [False, True, False]
    assert "a.jpg is no picture" in found[1].problem


def test_a_folder_that_cannot_be_read_or_has_nothing(tmp_path: Path) -> None:
    (bare,) = photographs([str(tmp_path)])
    assert "has no photograph; expected files that end in .jpg" in bare.problem
    if os.geteuid() != 0:
        tmp_path.chmod(0)
        (closed,) = photographs([str(tmp_path)])
        tmp_path.chmod(0o700)
        assert "cannot be read: Permission denied" in closed.problem


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path, onerror):
        onerror(PermissionError(13, "Permission denied", str(folder)))

    monkeypatch.setattr(module.os, "walk", refuse)
    (closed,) = photographs([str(tmp_path)])
    assert closed.problem == f"the folder {tmp_path} cannot be read: Permission denied"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, image: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, image.shape[1::-1])
    for number in range(25):
        writer.write(np.roll(image, number, axis=1))
    writer.release()
    return path


def test_each_tenth_frame_of_a_film(film: Path, image: np.ndarray) -> None:
    found = list(photographs([str(film)]))
    assert [one.frame for one in found] == [0, 10, 20]
    assert far_apart(found[1].image, np.roll(image, 10, axis=1)) < 6
    assert [one.frame for one in photographs([str(film)], every=12)] == [0, 12, 24]


def test_a_broken_film_gets_a_sentence(film: Path, tmp_path: Path, capfd) -> None:
    content = film.read_bytes()
    (tmp_path / "head.avi").write_bytes(content[:3000])
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "cut.avi").write_bytes(content[: len(content) // 2])
    head, text, *cut = photographs(str(tmp_path / n) for n in ("head.avi", "text.mp4", "cut.avi"))
    assert "head.avi " in head.problem
    assert "may be damaged" in head.problem
    assert text.problem.endswith("text.mp4 is no film that can be read; it may be damaged")
    assert [one.frame for one in cut][:1] == [0]
    assert capfd.readouterr().err == ""


def test_a_camera_that_is_not_there(capfd) -> None:
    (found,) = photographs(["97"])
    assert found.problem == "there is no camera 97, or another program uses it"
    assert capfd.readouterr().err == ""
