"""How much a candidate looks like a plate: a few sights of it, weighed.

The weights are few and round, so that they can be read: what a plate has more of counts for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from didact_plates.locate.candidates import Candidate, Image, cut, grown, overlaps, slope
from didact_plates.locate.colour import GROUNDS
from didact_plates.locate.views import View

MAKERS = ("colour", "edges", "characters")
WEIGHTS = {
    "strokes": 3.0,
    "above": -1.5,
    "below": -1.5,
    "changes": 3.0,
    "form": -2.0,
    "slope": -0.6,
    "contrast": -1.0,
    "ground": 2.0,
    "width": 0.8,
    "colour": 1.5,
    "edges": 1.5,
    "characters": 2.0,
}
"""Of each sight; a unit more of it makes the odds of a plate ``exp(weight)`` times as large."""
START = -4.0

_SIZE = (80, 30)
_INSIDE = slice(5, 25)
"""The rows of a cut candidate that are its own: a quarter of its height is seen on each side."""


def ranked(view: View, found: Sequence[Candidate]) -> list[Candidate]:
    """The candidates with the log-odds that they are plates as scores, the best first."""
    if not found:
        return []
    values = sights(view, found)
    scores = values @ np.array(list(WEIGHTS.values())) + START
    scored = [replace(one, score=float(s)) for one, s in zip(found, scores, strict=True)]
    return sorted(scored, key=lambda one: -one.score)


def sights(view: View, found: Sequence[Candidate]) -> NDArray[np.float64]:
    """``[candidates, len(WEIGHTS)]``: what is seen of each candidate.

    ``strokes`` is the mean strength of upright strokes against the contrast of the candidate,
    ``above`` and ``below`` the same just outside; ``changes`` counts from bright to dark and back
    along a row, in twenties; ``form`` is how far from 3.5 the ratio of the sides is (as |log|);
    ``ground`` is the part that has a plate's colour; the makers' names say how well the best
    candidate of each overlaps this one.
    """
    pictures = np.stack([cut(view.image, grown(c.corners, 0.0, 0.25), _SIZE) for c in found])
    red = pictures[..., 2].astype(np.float32)
    inside = red[:, _INSIDE]
    contrast = inside.std((1, 2)) + 4
    strokes = np.abs(red[:, :, 2:] - red[:, :, :-2]) / contrast[:, None, None]
    strokes = np.minimum(strokes, 2).mean(2)
    middle = (inside.max((1, 2)) + inside.min((1, 2))) / 2
    bright = red[:, 9:21] > middle[:, None, None]
    changes = np.median(np.count_nonzero(bright[:, :, 1:] != bright[:, :, :-1], axis=2), axis=1)
    sizes = np.array([one.size for one in found])
    columns = [
        strokes[:, 6:24].mean(1),
        strokes[:, :4].mean(1),
        strokes[:, 26:].mean(1),
        changes / 20,
        np.abs(np.log(sizes[:, 0] / sizes[:, 1] / 3.5)),
        np.array([abs(slope(one.corners)) for one in found]) / 10,
        np.log(contrast),
        _ground(pictures[:, _INSIDE]),
        np.log(sizes[:, 0] / 100),
        *_agreement(found).T,
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def _ground(pictures: Image) -> NDArray[np.float64]:
    """The largest part of each picture that has one of the colours of plates."""
    count, height, width, _ = pictures.shape
    hsv = cv2.cvtColor(pictures.reshape(count * height, width, 3), cv2.COLOR_BGR2HSV)
    parts = [
        cv2.inRange(hsv, np.array(low), np.array(high)).reshape(count, -1).mean(1) / 255
        for low, high in GROUNDS.values()
    ]
    return np.max(parts, axis=0)  # type: ignore[no-any-return]


def _agreement(found: Sequence[Candidate]) -> NDArray[np.float64]:
    """``[candidates, makers]``: how much of a candidate the best one of each maker shares."""
    boxes = [one.box for one in found]
    shared = overlaps(boxes, boxes)
    makers = np.array([one.maker for one in found])
    return np.stack(
        [shared[:, makers == maker].max(axis=1, initial=0.0) for maker in MAKERS], axis=1
    )
