"""Where plates may be: patches of blue or yellow, and patches of upright edges."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from didact_plates.locate import Candidate, Image, suppress
from didact_plates.locate.candidates import has_form_of_plate, turned

GROUNDS = {"blue": ((100, 80, 60), (124, 255, 255)), "yellow": (((15, 80, 80)), (34, 255, 255))}
CLOSING = (17, 3)
MOST = 12


def locate(image: Image) -> list[Candidate]:
    """Candidates of both kinds, none of which overlaps another by half."""
    return suppress([*_by_colour(image), *_by_edges(image)], limit=0.5, most=MOST)


def _by_colour(image: Image) -> Iterator[Candidate]:
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    for low, high in GROUNDS.values():
        mask = cv2.inRange(hsv, np.array(low), np.array(high))
        yield from _patches(mask, "colour", 1.0)


def _by_edges(image: Image) -> Iterator[Candidate]:
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (5, 5), 0)
    edges = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, 1, 0))
    _, mask = cv2.threshold(edges, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    yield from _patches(mask, "edges", 0.0)


def _patches(mask: Image, maker: str, above: float) -> Iterator[Candidate]:
    """Closed patches with the form of a plate; their score is how much they fill their box."""
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones(CLOSING[::-1], np.uint8))
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        corners = turned(contour)
        area = cv2.contourArea(corners)
        if area >= 300 and has_form_of_plate(corners, least=2.0, most=5.5):
            yield Candidate(corners, above + cv2.contourArea(contour) / area, maker)
