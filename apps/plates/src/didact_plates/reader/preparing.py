"""From crops of any size to what the network sees: one line of 128 x 32 pixels."""

from dataclasses import dataclass

import cv2
import numpy as np

WIDTH, HEIGHT = 128, 32
TWO_ROWS = 0.40
"""Crops at least this high for their width are tried as plates with two rows, too."""
TOP_ROW = (0.0, 0.43, 0.18, 0.82)
BOTTOM_ROW = (0.36, 1.0, 0.0, 1.0)
SPLIT = 48
"""In the line made of two rows, the first two characters have this many pixels."""


@dataclass(frozen=True)
class View:
    """Another way to look at a crop, for one that was cut a little askew.

    Attributes:
        tilt: How far its right end is moved down and its left end up, in heights.
        slant: How far its lower end is moved right and its upper end left, in widths.
        broad: The part of the width that is seen.
        high: The part of the height.
    """

    tilt: float = 0.0
    slant: float = 0.0
    broad: float = 1.0
    high: float = 1.0

    def of(self, crop: np.ndarray) -> np.ndarray:
        """``crop`` seen so, as large as before."""
        height, width = crop.shape[:2]
        quad = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
        quad = quad * (self.broad, self.high)
        moved = quad + np.stack([self.slant * quad[:, 1], self.tilt * quad[:, 0]], axis=1) + 0.5
        size = np.array([width, height])
        target = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size
        matrix = cv2.getPerspectiveTransform(
            (moved * size).astype(np.float32), target.astype(np.float32)
        )
        return np.asarray(
            cv2.warpPerspective(
                crop,
                matrix,
                (width, height),
                flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
        )


VIEWS = (
    View(broad=0.96, high=0.85),
    View(broad=1.05, high=1.15),
    View(tilt=0.3, high=0.8),
    View(tilt=-0.3, high=0.8),
)
"""How doubtful crops are looked at again."""


def one_row(crop: np.ndarray) -> np.ndarray:
    """The crop as it is, uint8 ``[32, 128, 3]``."""
    return resized(crop, WIDTH)


def two_rows(crop: np.ndarray) -> np.ndarray:
    """Both rows of the crop one behind the other, uint8 ``[32, 128, 3]``."""
    return np.hstack(
        [resized(_part(crop, TOP_ROW), SPLIT), resized(_part(crop, BOTTOM_ROW), WIDTH - SPLIT)]
    )


def resized(image: np.ndarray, width: int) -> np.ndarray:
    """``image`` with the given width and the network's height; without aliasing."""
    shrinks = image.shape[1] > width * 1.2 or image.shape[0] > HEIGHT * 1.2
    flag = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, (width, HEIGHT), interpolation=flag)


def _part(crop: np.ndarray, part: tuple[float, float, float, float]) -> np.ndarray:
    height, width = crop.shape[:2]
    top, bottom = int(part[0] * height), max(int(part[1] * height), int(part[0] * height) + 1)
    left, right = int(part[2] * width), max(int(part[3] * width), int(part[2] * width) + 1)
    return crop[top:bottom, left:right]


def line_spans(spans: np.ndarray, rows: int) -> np.ndarray:
    """Left and right of each character on the line, in pixels, from its place on the crop."""
    if rows == 1:
        return spans[:, :2] * WIDTH
    top = (spans[:2, :2] - TOP_ROW[2]) / (TOP_ROW[3] - TOP_ROW[2]) * SPLIT
    return np.concatenate([top, SPLIT + spans[2:, :2] * (WIDTH - SPLIT)])
