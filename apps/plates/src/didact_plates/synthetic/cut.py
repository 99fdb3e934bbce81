"""Single characters as the classical way cuts them: found by their place, made black and white."""

import cv2
import numpy as np

from didact_plates.grammar import INDEX
from didact_plates.synthetic.camera import photograph
from didact_plates.synthetic.plates import draw_plate
from didact_plates.synthetic.texts import KINDS

SIDE = 20
DARK_INK = ("yellow", "green", "white")


def cut_characters(
    count: int, rng: np.random.Generator, *, hard: float = 0.6
) -> tuple[np.ndarray, np.ndarray]:
    """Binarised characters, white on black, each on its own square.

    Returns:
        uint8 ``[count, 20, 20]`` and the places in ``ALPHABET``, int64 ``[count]``.
    """
    images = np.zeros((count, SIDE, SIDE), dtype=np.uint8)
    labels = np.zeros(count, dtype=np.int64)
    made = 0
    one_row = [kind for kind in KINDS if kind.rows == 1]
    while made < count:
        plate = draw_plate(rng, kind=one_row[int(rng.integers(len(one_row)))])
        crop = photograph(plate, rng, size=(188, 60), hard=hard)
        grey = cv2.cvtColor(crop.image, cv2.COLOR_BGR2GRAY)
        if plate.colour in DARK_INK:
            grey = 255 - grey
        # about half of what is cut is a first character: there are as many of them as of the others
        places = [0] if rng.random() < 6 / 7 else range(1, len(plate.text))
        for place in places:
            if made == count:
                break
            image = _cut(grey, crop.spans[place], rng)
            if image is None:
                continue
            images[made], labels[made] = image, INDEX[plate.text[place]]
            made += 1
    return images, labels


def _cut(grey: np.ndarray, span: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    height, width = grey.shape
    left, right, top, bottom = span * (width, width, height, height) + rng.normal(0, 0.8, 4)
    x0, x1, y0, y1 = round(left) - 1, round(right) + 1, round(top) - 1, round(bottom) + 1
    if x0 < 0 or y0 < 0 or x1 > width or y1 > height or x1 - x0 < 6 or y1 - y0 < 12:
        return None
    _, ink = cv2.threshold(grey[y0:y1, x0:x1], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    filled = ink.mean() / 255
    if not 0.08 < filled < 0.75:
        return None
    side = max(ink.shape)
    square = np.zeros((side, side), dtype=np.uint8)
    y, x = (side - ink.shape[0]) // 2, (side - ink.shape[1]) // 2
    square[y : y + ink.shape[0], x : x + ink.shape[1]] = ink
    return cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
