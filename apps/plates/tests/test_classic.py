"""The classic system: gradients, a machine kept as arrays, and cutting by contours."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from sklearn.svm import SVC

from didact_plates.classic import ClassicSystem, Recogniser, cut_characters, gradients, locate
from didact_plates.errors import ModelFileError

LETTERS = "ABCDEFHKLTUX"
TEXT = "KAHELTX"


def letter(character: str, stroke: int = 1) -> np.ndarray:
    """A letter that fills its picture."""
    picture = Image.new("L", (60, 60))
    font = ImageFont.load_default(38)
    ImageDraw.Draw(picture).text(
        (30, 44), character, font=font, fill=255, anchor="ms", stroke_width=stroke
    )
    return np.asarray(picture.crop(picture.getbbox()))


def plate(text: str = TEXT, ground=(170, 60, 20), ink=(255, 255, 255)) -> np.ndarray:
    """A plate with the places of GA 36, four pixels to a centimetre; a letter for the hanzi."""
    image = np.full((56, 176, 3), ground, np.uint8)
    for place, character in enumerate(text):
        left = round(0.4 * (15.5 + 57 * place + (22 if place > 1 else 0)))
        mask = cv2.resize(letter(character), (18, 36), interpolation=cv2.INTER_AREA) > 127
        image[10:46, left : left + 18][mask] = ink
    return image


@pytest.fixture(scope="module")
def characters() -> tuple[np.ndarray, list[str]]:
    """Characters as they are cut from plates, each moved and stretched a little."""
    rng = np.random.default_rng(0)
    images, names = [], []
    for character in LETTERS:
        for _ in range(12):
            mask = cv2.resize(letter(character, int(rng.integers(0, 3))), (18, 36))
            side = max(mask.shape) + int(rng.integers(0, 2))
            square = np.zeros((side, side), np.uint8)
            y, x = ((side - n) // 2 for n in mask.shape)
            square[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
            images.append(cv2.resize(square, (20, 20), interpolation=cv2.INTER_AREA))
            names.append(character)
    return np.stack(images), names


@pytest.fixture(scope="module")
def recogniser(characters) -> Recogniser:
    return Recogniser.fitted(*characters)


def test_gradients_are_those_of_the_paper() -> None:
    ramp = np.zeros((2, 20, 20), np.float32)
    ramp[0] = np.arange(20) * 10  # brightness grows to the right: direction 0, shared by two bins
    ramp[1] = np.arange(20)[:, None] * 10  # downwards: 90 degrees, the middle of the fifth bin
    found = gradients(ramp).reshape(2, 9, 4, 9)
    assert found.shape == (2, 9, 4, 9)
    assert set(np.flatnonzero(found[0].sum((0, 1)) > 1e-3)) == {0, 8}
    assert set(np.flatnonzero(found[1].sum((0, 1)) > 1e-3)) == {4}
    assert found.max() <= 1
    twice = gradients(ramp * 2)
    assert np.abs(twice - found.reshape(2, -1)).max() < 0.01  # of no scale


def test_the_machine_says_what_scikit_learn_says(characters, recogniser) -> None:
    images, names = characters
    machine = SVC(C=10.0, gamma=0.03).fit(gradients(images), names)
    noisy = np.clip(images + np.random.default_rng(1).normal(0, 40, images.shape), 0, 255)
    said, sure = recogniser.recognise(list(noisy.astype(np.uint8)))
    assert said == machine.predict(gradients(noisy.astype(np.uint8))).tolist()
    assert ((sure > 0) & (sure <= 1)).all()
    assert recogniser.recognise([])[0] == []


def test_it_is_kept_as_arrays(recogniser, characters, tmp_path: Path) -> None:
    recogniser.save(tmp_path / "svm.npz")
    again = Recogniser.load(tmp_path / "svm.npz")
    images = list(characters[0][::7])
    assert again.recognise(images)[0] == recogniser.recognise(images)[0]
    (tmp_path / "bad.npz").write_bytes(b"no arrays")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    for name in ("bad.npz", "other.npz", "none.npz"):
        with pytest.raises(ModelFileError, match=f"{name} has no recogniser of characters"):
            Recogniser.load(tmp_path / name)


@pytest.mark.parametrize(
    ("ground", "ink"), [((170, 60, 20), (255, 255, 255)), ((20, 190, 240), (10, 10, 10))]
)
def test_characters_are_cut_in_their_order(ground, ink, recogniser) -> None:
    found = cut_characters(plate(ground=ground, ink=ink), dark_on_bright=max(ink) < 99)
    assert [one.shape for one in found] == [(20, 20)] * 7
    assert "".join(recogniser.recognise(found)[0])[1:] == TEXT[1:]


def test_what_has_no_seven_characters_is_no_plate(recogniser) -> None:
    assert cut_characters(plate("ABC"), dark_on_bright=False) == []
    assert cut_characters(np.zeros((30, 90, 3), np.uint8), dark_on_bright=False) == []
    assert ClassicSystem(recogniser).read([plate("ABC")])[0].text == ""


def test_the_whole_system(recogniser) -> None:
    image = np.full((480, 640, 3), 110, np.uint8)
    image[250:306, 230:406] = plate()
    assert locate(image)
    (found,) = ClassicSystem(recogniser).find(image)
    assert found.text[1:] == TEXT[1:]
    assert found.colour == "blue"
    assert np.abs(np.array(found.box) - (230, 250, 176, 56)).max() < 8
    assert ClassicSystem(recogniser).find(np.full((480, 640, 3), 110, np.uint8)) == []
