"""Candidates by colour: a patch of one of the grounds that plates have."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from didact_plates.locate.candidates import Candidate, has_form_of_plate, turned
from didact_plates.locate.views import View

GROUNDS = {
    "blue": ((98, 70, 45), (126, 255, 255)),
    "yellow": ((12, 80, 60), (34, 255, 255)),
    "green": ((36, 60, 50), (92, 255, 255)),
}
"""Hue (of 180), saturation and value of each ground, from and to."""
CLOSINGS = ((9, 3), (21, 5))
"""Widths and heights over which the characters in the ground are closed."""
LEAST_FILLED = 0.45


def by_colour(view: View) -> Iterator[Candidate]:
    """Patches of blue, yellow and green with the form of a plate."""
    hsv = cv2.cvtColor(view.image, cv2.COLOR_BGR2HSV)
    for low, high in GROUNDS.values():
        mask = cv2.inRange(hsv, np.array(low), np.array(high))
        for size in CLOSINGS:
            closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones(size[::-1], np.uint8))
            contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            for contour in contours:
                left, top, width, height = cv2.boundingRect(contour)
                if width < 20 or height < 6:
                    continue
                corners = turned(contour)
                if not has_form_of_plate(corners):
                    continue
                patch = closed[top : top + height, left : left + width]
                filled = cv2.countNonZero(patch) / max(cv2.contourArea(corners), 1.0)
                if filled >= LEAST_FILLED:
                    yield Candidate(corners, min(filled, 1.0), "colour")
