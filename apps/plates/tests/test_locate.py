"""Candidates lie where plates are, whatever the light and the turn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from apps.plates.tests.pictures import BlueReader, plate, scene

from didact_plates.finding import Finder
from didact_plates.locate import LONGEST, candidates, cut, grown, overlap, straightened
from didact_plates.locate.candidates import overlaps, side_lengths, slope, turned, upright
from didact_plates.locate.characters import by_characters
from didact_plates.locate.colour import by_colour
from didact_plates.locate.edges import by_edges
from didact_plates.locate.views import look_at


@pytest.mark.parametrize("maker", [by_colour, by_edges, by_characters])
@pytest.mark.parametrize("high", [26, 44, 80])
def test_each_maker_finds_a_plate(maker, high):
    image, box = scene(high=high)
    found = [one for one in maker(look_at(image)) if overlap(one.box, box) > 0.5]
    assert found
    assert {one.maker for one in found} == {maker.__name__.removeprefix("by_")}


@pytest.mark.parametrize("change", [lambda x: x, lambda x: x * 0.25, lambda x: x * 0.4 + 120])
def test_the_best_candidate_is_the_plate_in_any_light(change):
    image, box = scene()
    best = candidates(np.clip(change(image.astype(float)), 0, 255).astype(np.uint8))[0]
    assert overlap(best.box, box) > 0.5


def test_a_plate_without_colour_is_found():
    image, box = scene()
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    assert max(overlap(one.box, box) for one in candidates(grey)) > 0.5


@pytest.mark.parametrize("angle", [-20.0, -8.0, 8.0, 20.0])
def test_a_turned_plate_is_cut_upright(angle):
    image, (left, top, right, bottom) = scene()
    matrix = cv2.getRotationMatrix2D(((left + right) / 2, (top + bottom) / 2), -angle, 1.0)
    seen = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    best = candidates(seen)[0]
    assert slope(best.corners) == pytest.approx(angle, abs=4)
    upright_plate = cut(seen, best.corners, (140, 44)).astype(float)
    same = np.corrcoef(upright_plate.ravel(), plate().astype(float).ravel())[0, 1]
    level = np.corrcoef(
        cut(seen, upright(*best.box), (140, 44)).astype(float).ravel(), plate().ravel()
    )[0, 1]
    assert same > 0.6
    assert same > level + (0.2 if abs(angle) > 10 else 0.05)


@pytest.mark.parametrize(
    ("turn", "slant"), [(0, 0), (5, 0), (-5, 0), (0, 0.3), (0, -0.3), (4, 0.2)]
)
def test_a_rough_candidate_is_straightened(turn, slant):
    """Characters that lean, in a box that is too small, too large and level."""
    image, (left, top, right, bottom) = scene(high=60)
    middle = ((left + right) / 2, (top + bottom) / 2)
    lean = np.array([[1, slant, -slant * middle[1]], [0, 1, 0]])
    matrix = np.vstack([cv2.getRotationMatrix2D(middle, -turn, 1.0), [0, 0, 1]]) @ np.vstack(
        [lean, [0, 0, 1]]
    )
    seen = cv2.warpAffine(image, matrix[:2], image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    true = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    true = true @ matrix[:2, :2].T + matrix[:2, 2]
    rough = upright(left - 6, top - 8, right + 4, bottom + 6)
    found = straightened(seen, rough)

    def far(corners):
        return np.abs(corners - true).mean()

    assert slope(found) == pytest.approx(turn, abs=2)
    down = found[3] - found[0]
    assert -down[0] / down[1] == pytest.approx(-slant + np.tan(np.radians(turn)), abs=0.12)
    assert far(found) < far(rough) + 3
    assert far(found) < 9


def test_straightening_survives_anything():
    for image in (np.zeros((50, 80, 3), np.uint8), np.full((50, 80), 255, np.uint8)):
        assert np.isfinite(straightened(image, upright(10, 10, 60, 30))).all()


def test_places_are_in_pixels_of_the_photograph():
    image, box = scene()
    large = cv2.resize(image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    assert max(large.shape) > LONGEST
    assert overlap(candidates(large)[0].box, [3 * value for value in box]) > 0.5


def test_nothing_is_found_where_nothing_is():
    assert candidates(np.full((300, 400, 3), 128, np.uint8)) == []
    for shape in ((1, 1, 3), (3000, 1, 3), (1, 3000, 3), (7, 22, 3)):
        assert candidates(np.zeros(shape, np.uint8)) == []


def test_noise_is_survived():
    noise = np.random.default_rng(0).integers(0, 256, (800, 800, 3), dtype=np.uint8)
    assert len(candidates(noise, most=4)) <= 4


def test_a_small_plate_on_a_large_photograph_is_found_at_the_second_look():
    image, box = scene(width=2400, height=1800, at=(900, 1000), high=18)
    (found,) = Finder(BlueReader()).find(image)
    left, top, width, height = found.box
    assert overlap((left, top, left + width, top + height), box) > 0.5


def test_each_plate_is_given_once_and_the_surest_first():
    image, _ = scene()
    image[120:164, 300:440] = (plate() * 0.6).astype(np.uint8)
    found = Finder(BlueReader()).find(image)
    assert len(found) == 2
    assert found[0].confidence > found[1].confidence
    assert Finder(BlueReader(), least_sure=0.99).find(image) == []


def test_geometry():
    box = upright(10, 20, 50, 40)
    assert side_lengths(box) == (40, 20)
    assert slope(box) == 0
    assert grown(box, 0.25, 0.5).tolist() == [[0, 10], [60, 10], [60, 50], [0, 50]]
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlaps([(0, 0, 1, 1)], [(0, 0, 1, 1), (2, 2, 3, 3)]).tolist() == [[1, 0]]
    for angle in range(-80, 81, 20):
        corners = cv2.boxPoints(((100, 100), (80, 20), angle))
        assert slope(turned(corners)) == pytest.approx(angle, abs=0.1)
