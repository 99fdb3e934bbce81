"""From a photograph to its plates: candidates, cut out and judged by what a reader reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from didact_plates.locate import (
    LONGEST,
    Corners,
    Image,
    candidates,
    cut,
    grown,
    overlap,
    straightened,
)
from didact_plates.locate.candidates import side_lengths

MARGIN = (0.03, 0.06)
"""Parts of its width and height by which a candidate is cut larger than it was found."""
LARGEST = (256, 128)
"""Width and height of a cut candidate at most; no reader makes use of more."""
LEAST_SURE = 0.2
"""Confidence below which a reading is no plate; chosen on the half that was tuned on."""
SURE = 0.97
"""Confidence above which a candidate is not straightened and read a second time."""
BEST = 3
"""Where nothing is sure, as many candidates are straightened though nothing was read on them."""
SAME = 0.3
"""Plates that overlap by more than this are one."""


class Read(Protocol):
    """What a reader says of one crop; an empty text where it reads no plate."""

    @property
    def text(self) -> str:
        """The characters."""

    @property
    def confidence(self) -> float:
        """Between 0 and 1."""

    @property
    def colour(self) -> str:
        """``blue``, ``yellow``, ``green``, ``white`` or ``black``."""

    @property
    def rows(self) -> int:
        """1 or 2."""


class ReadsCrops(Protocol):
    """A reader, such as :class:`didact_plates.reader.Reader`."""

    def read(self, crops: Sequence[Image]) -> Sequence[Read]:
        """What stands on each crop (uint8 BGR)."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate that was read.

    Attributes:
        text: Its characters.
        colour: ``blue``, ``yellow``, ``green``, ``white`` or ``black``.
        rows: 1 or 2.
        confidence: Of the reader, between 0 and 1.
        corners: ``[4, 2]``, from the upper left one clockwise, in pixels of the photograph.
        crop: The plate cut out, BGR.
    """

    text: str
    colour: str
    rows: int
    confidence: float
    corners: Corners
    crop: Image

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the upright box around it."""
        (left, top), (right, bottom) = self.corners.min(0), self.corners.max(0)
        return round(left), round(top), round(right - left), round(bottom - top)


class Finder:
    """Finds and reads the plates of photographs.

    Args:
        reader: What reads a crop.
        least_sure: Confidence below which a reading is no plate.
        most: How many candidates of a photograph are read at most.
    """

    def __init__(
        self, reader: ReadsCrops, *, least_sure: float = LEAST_SURE, most: int = 6
    ) -> None:
        self.reader = reader
        self.least_sure = least_sure
        self.most = most

    def find(self, image: Image) -> list[Plate]:
        """The plates of a photograph, the surest first.

        Args:
            image: BGR, uint8 ``[height, width, 3]``.
        """
        plates = self._found(image, LONGEST)
        if not plates and max(image.shape[:2]) > LONGEST:  # small plates on a large photograph
            plates = self._found(image, 2 * LONGEST)
        return plates

    def _found(self, image: Image, longest: int) -> list[Plate]:
        found = candidates(image, self.most, longest)
        first = self._read(image, [one.corners for one in found])
        doubtful = [plate.corners for plate in first if plate.confidence < SURE]
        if len(doubtful) == len(first):  # nothing sure: what looks most like a plate may be cut ill
            texts = {id(corners) for corners in doubtful}
            doubtful += [one.corners for one in found[:BEST] if id(one.corners) not in texts]
        second = self._read(image, [straightened(image, corners) for corners in doubtful])
        plates = [plate for plate in (*first, *second) if plate.confidence >= self.least_sure]
        return _apart(sorted(plates, key=lambda plate: -plate.confidence))

    def _read(self, image: Image, places: Sequence[Corners]) -> list[Plate]:
        """The places that have a text, however unsure."""
        crops = [_crop(image, corners) for corners in places]
        readings = self.reader.read(crops) if crops else []
        return [
            Plate(said.text, said.colour, said.rows, said.confidence, corners, crop)
            for corners, crop, said in zip(places, crops, readings, strict=True)
            if said.text
        ]


def _crop(image: Image, corners: Corners) -> Image:
    wide = grown(corners, *MARGIN)
    width, height = side_lengths(wide)
    shrink = max(width / LARGEST[0], height / LARGEST[1], 1.0)
    return cut(image, wide, (max(round(width / shrink), 8), max(round(height / shrink), 4)))


def _apart(plates: Sequence[Plate]) -> list[Plate]:
    """Without those that overlap a surer one."""
    kept: list[Plate] = []
    for plate in plates:
        left, top, width, height = plate.box
        box = (left, top, left + width, top + height)
        others = [(x, y, x + w, y + h) for x, y, w, h in (other.box for other in kept)]
        if all(overlap(box, other) <= SAME for other in others):
            kept.append(plate)
    return kept
