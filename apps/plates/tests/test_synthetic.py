"""Drawn plates, crops, scenes and characters."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from didact_plates.characters import CLASSES, drawn_characters, provinces_in_turn
from didact_plates.grammar import ALPHABET, HANZI, LATIN, PROVINCES, is_valid
from didact_plates.synthetic import (
    COLOURS,
    KINDS,
    Kind,
    cut_characters,
    draw_examples,
    draw_kind,
    draw_plate,
    draw_scene,
    draw_text,
    photograph,
)
from didact_plates.synthetic.plates import FONT, glyph

FLAT = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])


@pytest.fixture(scope="module")
def shapes() -> dict[str, np.ndarray]:
    return {character: glyph(character, 22, 45).astype(float) for character in ALPHABET}


def test_every_character_has_a_shape_of_its_own(shapes: dict[str, np.ndarray]) -> None:
    flat = np.stack([shape.ravel() for shape in shapes.values()])
    flat = (flat - flat.mean(1, keepdims=True)) / flat.std(1, keepdims=True)
    alike = flat @ flat.T / flat.shape[1]
    np.fill_diagonal(alike, 0)
    one, other = np.unravel_index(alike.argmax(), alike.shape)
    assert alike.max() < 0.93, f"{ALPHABET[one]} looks like {ALPHABET[other]}"


def test_the_shapes_fill_their_fields(shapes: dict[str, np.ndarray]) -> None:
    for character, shape in shapes.items():
        rows = np.flatnonzero(shape.max(1) > 100)
        assert rows[0] <= 2, character
        assert rows[-1] >= 42, character


def test_the_font_is_small_and_has_its_licence_beside_it() -> None:
    assert FONT.stat().st_size < 20_000
    licence = (FONT.parent / "LICENSE-OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE" in licence
    assert "Adobe" in licence


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.colour}-{kind.rows}{kind.last}")
def test_each_kind_of_plate(kind: Kind) -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert is_valid(draw_text(kind, rng))
    plate = draw_plate(rng, kind=kind)
    height, width = plate.image.shape[:2]
    assert (plate.colour, plate.rows) == (kind.colour, kind.rows)
    assert len(plate.boxes) == len(plate.text)
    assert plate.boxes.min() > 0
    assert (plate.boxes[:, 2] < width).all()
    assert (plate.boxes[:, 3] < height).all()
    assert height == pytest.approx(width * (0.5 if kind.rows == 2 else 0.3), rel=0.1)


def test_all_kinds_and_characters_are_drawn() -> None:
    rng = np.random.default_rng(0)
    texts = [draw_text(draw_kind(rng), rng) for _ in range(4000)]
    assert set("".join(texts)) == set(ALPHABET)
    firsts = [sum(text[0] == province for text in texts) for province in PROVINCES]
    assert min(firsts) > 0.4 * max(firsts)


def test_the_same_seed_draws_the_same() -> None:
    for draw in (draw_plate, draw_scene):
        one, same, other = (draw(np.random.default_rng(seed)).image for seed in (5, 5, 6))
        assert np.array_equal(one, same)
        assert one.shape != other.shape or not np.array_equal(one, other)


def test_a_straight_photograph_has_its_characters_where_it_says() -> None:
    rng = np.random.default_rng(3)
    plate = draw_plate(rng, kind=KINDS[0], scale=0.5)
    height, width = plate.image.shape[:2]
    crop = photograph(plate, rng, size=(220, 70), hard=0.0, corners=FLAT * (width, height))
    assert crop.spans[:, :2] * 220 == pytest.approx(plate.boxes[:, [0, 2]], abs=0.5)
    assert crop.spans[:, 2:] * 70 == pytest.approx(plate.boxes[:, [1, 3]], abs=0.5)


def test_a_photograph_turns_its_spans_with_the_plate() -> None:
    rng = np.random.default_rng(4)
    plate = draw_plate(rng, kind=KINDS[0])
    height, width = plate.image.shape[:2]
    half = FLAT * (width / 2, height)  # the left half fills the crop
    crop = photograph(plate, rng, corners=half)
    assert crop.spans[:, 0] == pytest.approx(plate.boxes[:, 0] / (width / 2), abs=0.02)
    assert crop.spans[-1, 0] > 1


@pytest.mark.parametrize("seed", range(4))
def test_the_boxes_of_a_scene_hold_plates(seed: int) -> None:
    """Cut out by its corners, a plate in even light is close to the flat plate of that text."""
    scene = draw_scene(np.random.default_rng(seed), plates=2, hard=0.0)
    assert len(scene.boxes) == len(scene.texts) == len(scene.colours) == len(scene.rows) >= 1
    assert scene.image.shape == (480, 640, 3)
    assert scene.image.dtype == np.uint8
    for box, text, colour, rows in zip(
        scene.boxes, scene.texts, scene.colours, scene.rows, strict=True
    ):
        kind = Kind(colour, rows, 1.0)
        flat = draw_plate(np.random.default_rng(0), kind=kind, text=text).image
        height, width = flat.shape[:2]
        corners = (FLAT * (width, height)).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(box.astype(np.float32), corners)
        cut = cv2.warpPerspective(scene.image, matrix, (width, height))
        greys = [
            cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (0, 0), 2)
            for image in (cut, flat)
        ]
        assert np.corrcoef(greys[0].ravel(), greys[1].ravel())[0, 1] > 0.35, text


def test_a_scene_without_plates_has_no_boxes() -> None:
    scene = draw_scene(np.random.default_rng(0), plates=0)
    assert scene.boxes.shape == (0, 4, 2)
    assert scene.texts == ()


def test_examples_do_not_depend_on_the_number_of_processes() -> None:
    alone = draw_examples(60, seed=3, chunk=30)
    shared = draw_examples(60, seed=3, chunk=30, processes=2)
    assert np.array_equal(alone.lines, shared.lines)
    assert np.array_equal(alone.texts, shared.texts)


def test_frame_labels_spell_the_text() -> None:
    examples = draw_examples(200, seed=4)
    assert (examples.colours == len(COLOURS)).sum() == 24
    spelled = 0
    for frames, text in zip(examples.frames, examples.texts, strict=True):
        before = np.concatenate([[0], frames[:-1]])
        seen = frames[(frames > 0) & (frames != before)]
        spelled += bool(np.array_equal(seen, text[text > 0]))
    assert spelled >= 190  # a plate that leaves its crop loses a character


def test_cut_characters_are_white_on_black_and_look_like_themselves(
    shapes: dict[str, np.ndarray],
) -> None:
    images, labels = cut_characters(300, np.random.default_rng(0), hard=0.2)
    assert images.shape == (300, 20, 20)
    assert images[:, 0].mean() < images[:, 5:15].mean()
    assert 0.3 < np.isin(labels, [ALPHABET.index(c) for c in HANZI]).mean() < 0.7
    averages = {k: images[labels == k].mean(0) for k in np.unique(labels) if ALPHABET[k] in "LTU7"}
    for place, average in averages.items():
        high = cv2.resize(average[:, 5:15], (22, 45))
        best = max("LTU7", key=lambda c: np.corrcoef(high.ravel(), shapes[c].ravel())[0, 1])
        assert best == ALPHABET[place]


def test_pictures_of_characters_take_the_place_of_drawn_ones() -> None:
    square = np.zeros((1, 20, 20), dtype=np.uint8)
    square[:, 2:18, 5:15] = 255
    cut = dict.fromkeys(LATIN + PROVINCES, square)
    plates = [
        draw_plate(np.random.default_rng(seed), kind=KINDS[0], text="京A12345", cut=cut)
        for seed in range(12)
    ]
    ink = [plate.image.min(2).mean() for plate in plates]
    full = [value for value in ink if value > 120]
    assert 2 <= len(full) <= 10


def test_drawn_characters_have_all_classes_in_equal_numbers() -> None:
    images, labels = drawn_characters(2, seed=0)
    assert images.shape == (130, 20, 20)
    assert (np.bincount(labels) == 2).all()
    assert sum(map(len, provinces_in_turn())) == len(CLASSES) == 65
    assert [len(task) for task in provinces_in_turn()] == [44, 7, 7, 7]
