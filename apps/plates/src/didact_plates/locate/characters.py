"""Candidates by characters: four or more shapes of one height in a row."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from didact_plates.locate.candidates import Candidate, Corners, Image, has_form_of_plate
from didact_plates.locate.views import View

BLOCK = 15
"""Side of the square whose mean brightness a stroke is compared with."""
SCALES = (1, 2)
"""Large characters are looked for in the photograph at half its size."""
CONTRAST = 8
MOST_SHAPES = 1500
LEAST, MOST = 4, 12
"""How many shapes make a row."""


def by_characters(view: View) -> Iterator[Candidate]:
    """Rows of shapes that may be characters, bright on dark and dark on bright."""
    for scale in SCALES:
        size = (view.red.shape[1] // scale, view.red.shape[0] // scale)
        red = view.red if scale == 1 else cv2.resize(view.red, size, interpolation=cv2.INTER_AREA)
        mean = cv2.boxFilter(red, -1, (BLOCK, BLOCK))
        for difference in (cv2.subtract(red, mean), cv2.subtract(mean, red)):
            _, mask = cv2.threshold(difference, CONTRAST, 255, cv2.THRESH_BINARY)
            shapes = _shapes(mask)
            for row in _rows(shapes):
                corners = (_around(shapes[row]) * scale).astype(np.float32)
                if has_form_of_plate(corners):
                    yield Candidate(corners, min(len(row), 7) / 7, "characters")


def _shapes(mask: Image) -> NDArray[np.float64]:
    """``[shapes, 4]``: centre x, centre y, width, height of what may be a character."""
    try:  # half the time of labels of 32 bits
        stats = cv2.connectedComponentsWithStats(mask, connectivity=4, ltype=cv2.CV_16U)[2]
    except cv2.error:  # more than 65,534 specks
        stats = cv2.connectedComponentsWithStats(mask, connectivity=4, ltype=cv2.CV_32S)[2]
    left, top, width, height, area = stats[1:].T.astype(np.float64)
    good = (height >= 6) & (height <= 120) & (width <= 1.1 * height) & (width >= 0.12 * height)
    good &= area >= 0.15 * width * height
    found: NDArray[np.float64]
    found = np.stack([left + width / 2, top + height / 2, width, height], axis=1)[good]
    return found[np.argsort(-found[:, 3])[:MOST_SHAPES]]


def _rows(shapes: NDArray[np.float64]) -> Iterator[NDArray[np.intp]]:
    """The shapes that are linked to each other: side by side and of one height."""
    if len(shapes) < LEAST:
        return
    x, y, _, height = shapes.T
    apart = x[None] - x[:, None]
    near = (apart > 0) & (apart < 1.6 * height[:, None])
    near &= np.abs(y[None] - y[:, None]) < 0.35 * height[:, None]
    ratio = height[None] / height[:, None]
    near &= (ratio > 0.7) & (ratio < 1.43)
    count, label = connected_components(csr_matrix(near), directed=False)
    sizes = np.bincount(label, minlength=count)
    for number in np.flatnonzero((sizes >= LEAST) & (sizes <= MOST)):
        yield np.flatnonzero(label == number)


def _around(row: NDArray[np.float64]) -> Corners:
    """The quadrilateral around a row of characters: lines along their tops and bottoms."""
    x, y, width, height = row.T
    tall = height >= 0.85 * np.median(height)
    incline, start = np.polyfit(x[tall], y[tall], 1)
    high = float(np.median(height[tall]))
    left, right = float((x - width / 2).min()), float((x + width / 2).max())
    left, right = left - 0.25 * high, right + 0.25 * high
    half = 0.5 * high + 0.15 * high
    ends = [(left, incline * left + start), (right, incline * right + start)]
    (a, p), (b, q) = ends
    return np.array([[a, p - half], [b, q - half], [b, q + half], [a, p + half]], dtype=np.float32)
