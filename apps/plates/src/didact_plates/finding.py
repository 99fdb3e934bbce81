"""From a photograph to its plates: candidates, cut out and judged by what a reader reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from didact_plates.locate import LONGEST, Candidate, Corners, Image, candidates, cut, grown, overlap

MARGIN = (0.03, 0.06)
"""Parts of its width and height by which a candidate is cut larger than it was found."""
LARGEST = (256, 128)
"""Width and height of a cut candidate at most; no reader makes use of more."""
LEAST_SURE = 0.5
"""Confidence below which a reading is no plate."""
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
        crops = [_crop(image, one) for one in found]
        readings = self.reader.read(crops) if crops else []
        plates = [
            Plate(said.text, said.colour, said.rows, said.confidence, one.corners, crop)
            for one, crop, said in zip(found, crops, readings, strict=True)
            if said.text and said.confidence >= self.least_sure
        ]
        return _apart(sorted(plates, key=lambda plate: -plate.confidence))


def _crop(image: Image, one: Candidate) -> Image:
    corners = grown(one.corners, *MARGIN)
    width, height = one.size
    shrink = max(width / LARGEST[0], height / LARGEST[1], 1.0)
    size = (max(round(width * (1 + 2 * MARGIN[0]) / shrink), 8),
            max(round(height * (1 + 2 * MARGIN[1]) / shrink), 4))  # fmt: skip
    return cut(image, corners, size)


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
