"""The classic system as a whole: each candidate that falls into seven characters is a plate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from didact_plates.classic.cutting import COUNT, cut_characters
from didact_plates.classic.locating import GROUNDS, locate
from didact_plates.classic.recognising import Recogniser
from didact_plates.finding import Plate
from didact_plates.locate import Image, cut
from didact_plates.locate.views import look_at

CUT = (136, 36)


@dataclass(frozen=True, slots=True)
class ClassicReading:
    """What the classic system reads on a crop."""

    text: str
    confidence: float
    colour: str
    rows: int = 1


class ClassicSystem:
    """Locates, cuts and recognises.

    Args:
        recogniser: Of single characters.
    """

    def __init__(self, recogniser: Recogniser) -> None:
        self.recogniser = recogniser

    def find(self, image: Image) -> list[Plate]:
        """The plates of a BGR photograph."""
        view = look_at(image)
        places = [one.scaled(view.scale) for one in locate(view.image)]
        crops = [cut(image, one.corners, CUT) for one in places]
        return [
            Plate(said.text, said.colour, 1, said.confidence, one.corners, crop)
            for one, crop, said in zip(places, crops, self.read(crops), strict=True)
            if said.text
        ]

    def read(self, crops: Sequence[Image]) -> list[ClassicReading]:
        """What stands on upright crops; an empty text where seven characters are not found."""
        return [self._read(crop) for crop in crops]

    def _read(self, crop: Image) -> ClassicReading:
        colour = _colour(crop)
        characters = cut_characters(crop, dark_on_bright=colour == "yellow")
        if len(characters) != COUNT:
            return ClassicReading("", 0.0, colour)
        names, sure = self.recogniser.recognise(characters)
        return ClassicReading("".join(names), float(sure.min()), colour)


def _colour(crop: Image) -> str:
    hsv = cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)
    parts = {
        name: cv2.countNonZero(cv2.inRange(hsv, np.array(low), np.array(high)))
        for name, (low, high) in GROUNDS.items()
    }
    return "yellow" if parts["yellow"] > parts["blue"] else "blue"
