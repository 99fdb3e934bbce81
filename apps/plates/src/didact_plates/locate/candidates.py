"""A place in a photograph that may be a plate, and the geometry of such places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Image: TypeAlias = np.ndarray
"""uint8, BGR ``[height, width, 3]`` or grey ``[height, width]``."""
Corners = NDArray[np.float32]

NARROWEST, LOWEST = 22.0, 7.0
"""Width and height in pixels below which nobody can read a plate."""
STEEPEST = 40.0
"""Degrees from the horizontal."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quadrilateral that may be a plate.

    Attributes:
        corners: ``[4, 2]``, from the upper left one clockwise, in pixels of the photograph.
        score: How much it looks like a plate; of use within one photograph only.
        maker: What found it.
    """

    corners: Corners
    score: float
    maker: str

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the upright box around it."""
        (left, top), (right, bottom) = self.corners.min(0), self.corners.max(0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def size(self) -> tuple[float, float]:
        """Mean lengths of the horizontal and of the upright sides."""
        return side_lengths(self.corners)

    def scaled(self, factor: float) -> Candidate:
        """The same place in a photograph that is ``factor`` times as large."""
        return replace(self, corners=(self.corners * factor).astype(np.float32))


def side_lengths(corners: Corners) -> tuple[float, float]:
    """Mean lengths of the horizontal and of the upright sides of a quadrilateral."""
    a, b, c, d = corners
    width = np.linalg.norm(b - a) + np.linalg.norm(c - d)
    height = np.linalg.norm(d - a) + np.linalg.norm(c - b)
    return float(width) / 2, float(height) / 2


def upright(left: float, top: float, right: float, bottom: float) -> Corners:
    """The corners of an upright box."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)


def turned(contour: Image) -> Corners:
    """The corners of the smallest turned rectangle around a contour, its long side horizontal."""
    points = cv2.boxPoints(cv2.minAreaRect(contour)).astype(np.float32)
    edges = np.roll(points, -1, axis=0) - points
    first = int(np.argmax(np.hypot(edges[:2, 0], edges[:2, 1])))
    points = np.roll(points, -first, axis=0)
    if points[1, 0] < points[0, 0]:  # boxPoints goes clockwise, from any corner
        points = np.roll(points, -2, axis=0)
    return points


def slope(corners: Corners) -> float:
    """The angle of the horizontal sides in degrees, positive where the right end is lower."""
    along = corners[1] + corners[2] - corners[0] - corners[3]
    return float(np.degrees(np.arctan2(along[1], along[0])))


def grown(corners: Corners, along: float, across: float) -> Corners:
    """A quadrilateral that is longer by parts of its own sides, at each end."""
    a, b, c, d = corners
    top, bottom, left, right = b - a, c - d, d - a, c - b
    return np.array(
        [
            a - along * top - across * left,
            b + along * top - across * right,
            c + along * bottom + across * right,
            d - along * bottom + across * left,
        ],
        dtype=np.float32,
    )


def has_form_of_plate(corners: Corners, least: float = 1.5, most: float = 7.0) -> bool:
    """Whether its size, the ratio of its sides and its angle may be those of a plate."""
    width, height = side_lengths(corners)
    return (
        width >= NARROWEST
        and height >= LOWEST
        and least <= width / height <= most
        and abs(slope(corners)) <= STEEPEST
    )


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two upright boxes (left, top, right, bottom)."""
    return float(overlaps([one], [other])[0, 0])


def overlaps(
    ones: Sequence[Sequence[float]], others: Sequence[Sequence[float]]
) -> NDArray[np.float64]:
    """Intersection over union of each box with each other box, ``[ones, others]``."""
    a, b = np.asarray(ones, np.float64)[:, None], np.asarray(others, np.float64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.prod(np.maximum(sides, 0), axis=-1)
    areas = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1)
    return both / np.maximum(areas - both, 1e-9)  # type: ignore[no-any-return]


def suppress(found: Iterable[Candidate], limit: float, most: int) -> list[Candidate]:
    """The best candidates, none of which overlaps a better one by more than ``limit``."""
    ordered = sorted(found, key=lambda candidate: -candidate.score)
    if not ordered:
        return []
    boxes = [one.box for one in ordered]
    shared = overlaps(boxes, boxes)
    kept: list[int] = []
    for place in range(len(ordered)):
        if (shared[place, kept] <= limit).all():
            kept.append(place)
            if len(kept) == most:
                break
    return [ordered[place] for place in kept]


def cut(image: Image, corners: Corners, size: tuple[int, int] | None = None) -> Image:
    """The quadrilateral as an upright picture.

    Args:
        image: BGR or grey.
        corners: Of the quadrilateral.
        size: Width and height of the picture; by default as large as in the photograph.
    """
    if size is None:
        width, height = side_lengths(corners)
        size = (max(round(width), 8), max(round(height), 4))
    width, height = size
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return cv2.warpPerspective(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
