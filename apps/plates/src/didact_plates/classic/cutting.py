"""From an upright plate to its characters: Otsu's threshold, contours, and where they should be."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from didact_plates.locate import Image

PLATE = (136, 36)
"""Width and height at which a plate is cut."""
CHARACTER = 20
"""Side of a cut character."""
FEWEST_CHANGES = 7
"""Between bright and dark along a row; rows with fewer are rim or rivets."""
COUNT = 7

Box = tuple[int, int, int, int]


def cut_characters(plate: Image, dark_on_bright: bool) -> list[Image]:
    """The seven characters of a plate, white on black, ``[20, 20]``; none where it has others.

    Args:
        plate: BGR, upright.
        dark_on_bright: Whether the characters are darker than the ground.
    """
    grey = cv2.resize(cv2.cvtColor(plate, cv2.COLOR_BGR2GRAY), PLATE)
    kind = cv2.THRESH_BINARY_INV if dark_on_bright else cv2.THRESH_BINARY
    _, mask = cv2.threshold(grey, 0, 255, kind + cv2.THRESH_OTSU)
    mask = _without_rim(mask)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = sorted(_box(contour) for contour in contours)
    boxes = _one_row(_without_inner([box for box in found if _has_form(box)]))
    place = _second(boxes)
    if place is None:
        return []
    following = boxes[place : place + COUNT - 1]
    if len(following) < COUNT - 1:
        return []
    return [_square(mask, box) for box in (_hanzi(following[0]), *following)]


def _without_rim(mask: Image) -> Image:
    """Rows above and below the characters blackened."""
    changes = np.count_nonzero(mask[:, 1:] != mask[:, :-1], axis=1)
    busy = changes >= FEWEST_CHANGES
    middle = len(busy) // 2
    top, bottom = middle, middle
    while top > 0 and busy[top - 1]:
        top -= 1
    while bottom < len(busy) - 1 and busy[bottom + 1]:
        bottom += 1
    out = np.zeros_like(mask)
    out[top : bottom + 1] = mask[top : bottom + 1]
    return out


def _box(contour: Image) -> Box:
    left, top, width, height = cv2.boundingRect(contour)
    return left, top, width, height


def _has_form(box: Box) -> bool:
    _, _, width, height = box
    return 14 <= height <= 34 and width <= 0.95 * height


def _without_inner(boxes: Sequence[Box]) -> list[Box]:
    """Without those that lie inside another."""
    return [
        one
        for one in boxes
        if not any(
            other != one and other[0] <= one[0] and one[0] + one[2] <= other[0] + other[2]
            for other in boxes
        )
    ]


def _one_row(boxes: Sequence[Box]) -> list[Box]:
    """Those of about the median height."""
    if not boxes:
        return []
    height = float(np.median([box[3] for box in boxes]))
    return [box for box in boxes if 0.7 * height <= box[3] <= 1.3 * height]


def _second(boxes: Sequence[Box]) -> int | None:
    """Which box is the letter behind the hanzi: between a seventh and two sevenths of the plate."""
    expected = PLATE[0] * 1.5 / COUNT
    near = [
        (abs(left + width / 2 - expected), place)
        for place, (left, _, width, _) in enumerate(boxes)
        if PLATE[0] / COUNT < left + width / 2 < 2.2 * PLATE[0] / COUNT
    ]
    return min(near)[1] if near else None


def _hanzi(letter: Box) -> Box:
    """The box of the hanzi, which falls into parts: left of the letter and a little wider."""
    left, top, width, height = letter
    wide = max(round(1.15 * width), round(0.5 * height))
    start = max(left - round(1.15 * wide), 0)
    return start, top, min(wide, left - start) or 1, height


def _square(mask: Image, box: Box) -> Image:
    """A character in the middle of a square, scaled to 20 x 20."""
    left, top, width, height = box
    side = max(width, height)
    square = np.zeros((side, side), np.uint8)
    x, y = (side - width) // 2, (side - height) // 2
    part = mask[top : top + height, left : left + width]
    square[y : y + part.shape[0], x : x + part.shape[1]] = part
    return cv2.resize(square, (CHARACTER, CHARACTER), interpolation=cv2.INTER_AREA)
