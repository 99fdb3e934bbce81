"""A candidate turned, slanted and trimmed until its characters stand upright and fill it.

All is read from the upright strokes in and around the candidate. Where the plate is level, the rows
above and below its characters are the emptiest; where it is not slanted, the columns between its
characters are: the right angle is the one at which the profile changes most from step to step.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from didact_plates.locate.candidates import Corners, Image, cut, grown

WIDTH, HEIGHT = 160, 64
AROUND = (0.12, 0.35)
"""Parts of its width and height that are seen on each side of the candidate."""
TURNS = np.linspace(-0.12, 0.12, 9)
"""Slopes by which a candidate may still be turned."""
SLANTS = np.linspace(-0.45, 0.45, 13)
"""Pixels to the side for one down."""
ROWS, COLUMNS = 0.5, 0.35
"""Parts of the strokes in the middle that a row or column of characters has at least."""
ABOVE = 0.16
"""Parts of the characters' height that belong to the plate above and below them."""

Strokes = NDArray[np.float32]


def straightened(image: Image, corners: Corners) -> Corners:
    """The quadrilateral of the plate that a candidate is, as exactly as its strokes say.

    Args:
        image: BGR or grey.
        corners: The candidate; it may be turned by 7 degrees, slanted by 24, and too large or too
            small by a tenth of its width and a third of its height.
    """
    seen = grown(corners, *AROUND)
    strokes = _strokes(cut(image, seen, (WIDTH, HEIGHT)))
    inner = slice(round(0.12 * WIDTH), round(0.88 * WIDTH))
    turn = _best(TURNS, 0.8, lambda slope: _turned(strokes, slope)[:, inner].sum(1), step=2)
    strokes = _turned(strokes, turn)
    top, bottom = _rows(strokes)
    band = strokes[max(round(top), 0) : round(bottom)]
    slant = _best(SLANTS, 0.25, lambda part: _slanted(band, part).sum(0)[10:-10], step=1)
    left, right = _columns(_slanted(band, slant))
    x = np.array([left, right, right, left])
    y = np.array([top, top, bottom, bottom])
    x = x + slant * (y - (top + bottom) / 2)
    y = y + turn * (x - WIDTH / 2)
    view = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], dtype=np.float32)
    back = cv2.getPerspectiveTransform(view, seen.astype(np.float32))
    points = np.stack([x, y], axis=1).astype(np.float32)
    found: Corners = cv2.perspectiveTransform(points[None], back)[0].astype(np.float32)
    return found


def _strokes(picture: Image) -> Strokes:
    """How strongly brightness changes from left to right; single strong edges count no more."""
    red = picture if picture.ndim == 2 else picture[:, :, 2]
    change: Strokes = np.abs(cv2.Sobel(red, cv2.CV_32F, 1, 0)).astype(np.float32)
    limited: Strokes = np.minimum(change, change.mean() + 2 * change.std())
    return limited


def _turned(strokes: Strokes, slope: float) -> Strokes:
    matrix = np.array([[1, 0, 0], [slope, 1, -slope * WIDTH / 2]], dtype=np.float32)
    return _warped(strokes, matrix)


def _slanted(strokes: Strokes, part: float) -> Strokes:
    matrix = np.array([[1, part, -part * len(strokes) / 2], [0, 1, 0]], dtype=np.float32)
    return _warped(strokes, matrix)


def _warped(strokes: Strokes, matrix: Strokes) -> Strokes:
    size = (strokes.shape[1], strokes.shape[0])
    warped = cv2.warpAffine(strokes, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return warped.astype(np.float32, copy=False)


def _best(
    values: NDArray[np.float64], doubt: float, profile: Callable[[float], Strokes], step: int
) -> float:
    """The value at which the profile changes most; large ones need more of it."""
    changes = []
    for value in values:
        line = profile(float(value))
        changes.append(np.square(line[step:] - line[:-step]).sum() * (1 - doubt * abs(value)))
    return float(values[int(np.argmax(changes))])


def _rows(strokes: Strokes) -> tuple[float, float]:
    """Top and bottom of the plate."""
    line = strokes[:, round(0.15 * WIDTH) : round(0.85 * WIDTH)].sum(1)
    line = cv2.GaussianBlur(line[:, None], (1, 5), 0).ravel()
    least = ROWS * float(np.median(line[round(0.38 * HEIGHT) : round(0.62 * HEIGHT)]))
    first, last = _run(line > least, HEIGHT // 2, HEIGHT // 2)
    high = last - first + 1
    if high < 0.3 * HEIGHT:  # too little to go by
        part = AROUND[1] / (1 + 2 * AROUND[1])
        return part * HEIGHT, (1 - part) * HEIGHT
    return first - ABOVE * high, last + 1 + ABOVE * high


def _columns(band: Strokes) -> tuple[float, float]:
    """Left and right of the plate."""
    line = cv2.blur(band.sum(0)[None], (11, 1)).ravel()
    least = COLUMNS * float(np.median(line[WIDTH // 4 : 3 * WIDTH // 4]))
    first, last = _run(line > least, round(0.3 * WIDTH), round(0.7 * WIDTH))
    return first + 2, last - 2


def _run(enough: NDArray[np.bool_], left: int, right: int) -> tuple[int, int]:
    """From ``left`` down and from ``right`` up as far as there is enough."""
    while left > 0 and enough[left - 1]:
        left -= 1
    while right < len(enough) - 1 and enough[right + 1]:
        right += 1
    return left, right
