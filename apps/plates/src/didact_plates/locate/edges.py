"""Candidates by edges: upright strokes that stand close together, closed to one patch."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from didact_plates.locate.candidates import Candidate, has_form_of_plate, turned
from didact_plates.locate.views import View

CLOSINGS = ((9, 3), (17, 3), (29, 5))
"""Widths and heights over which strokes are closed: for small, middling and large plates."""


def by_edges(view: View) -> Iterator[Candidate]:
    """Patches of upright strokes with the form of a plate."""
    strokes = cv2.GaussianBlur(view.strokes, (5, 5), 0)
    _, strong = cv2.threshold(strokes, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    for size in CLOSINGS:
        closed = cv2.morphologyEx(strong, cv2.MORPH_CLOSE, np.ones(size[::-1], np.uint8))
        opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((size[1], 3), np.uint8))
        contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            _, _, width, height = cv2.boundingRect(contour)
            if width < 20 or height < 6:
                continue
            corners = turned(contour)
            if has_form_of_plate(corners):
                area = max(cv2.contourArea(corners), 1.0)
                yield Candidate(corners, cv2.contourArea(contour) / area, "edges")
