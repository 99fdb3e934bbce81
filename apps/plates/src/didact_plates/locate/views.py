"""A photograph as the makers of candidates look at it: small, with its strokes marked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from didact_plates.locate.candidates import Image

LONGEST = 800
"""Pixels of the longer side; more are of no use to find a plate that fills a thirtieth of it."""


@dataclass(frozen=True)
class View:
    """A photograph at the size at which plates are looked for.

    Attributes:
        image: BGR.
        scale: How many times as large the photograph is.
    """

    image: Image
    scale: float

    @cached_property
    def red(self) -> Image:
        """The red channel: white on blue and black on yellow both stand out most in it."""
        return np.ascontiguousarray(self.image[:, :, 2])

    @cached_property
    def strokes(self) -> Image:
        """How strongly brightness changes from left to right."""
        smooth = cv2.GaussianBlur(self.red, (3, 3), 0)
        return cv2.convertScaleAbs(cv2.Sobel(smooth, cv2.CV_16S, 1, 0, ksize=3))


def look_at(image: Image, longest: int = LONGEST) -> View:
    """The view of a BGR photograph."""
    scale = max(max(image.shape[:2]) / longest, 1.0)
    if scale == 1.0:
        return View(image, 1.0)
    size = (max(round(image.shape[1] / scale), 1), max(round(image.shape[0] / scale), 1))
    return View(cv2.resize(image, size, interpolation=cv2.INTER_AREA), scale)
