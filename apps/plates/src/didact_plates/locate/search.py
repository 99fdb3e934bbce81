"""All makers on one photograph, their candidates ranked together."""

from __future__ import annotations

from didact_plates.locate.candidates import LOWEST, NARROWEST, Candidate, Image, suppress
from didact_plates.locate.characters import by_characters
from didact_plates.locate.colour import by_colour
from didact_plates.locate.edges import by_edges
from didact_plates.locate.ranking import ranked
from didact_plates.locate.views import LONGEST, look_at

MOST = 6
SAME = 0.6
"""Candidates that share more are one; of two that share less, a reader takes the better."""
LEAST = -4.0
"""Log-odds below which a candidate is not worth a look."""


def candidates(image: Image, most: int = MOST, longest: int = LONGEST) -> list[Candidate]:
    """The places of a photograph that may be plates, the likeliest first.

    Args:
        image: BGR, uint8 ``[height, width, 3]``.
        most: How many at most.
        longest: Pixels of the longer side at which they are looked for.
    """
    view = look_at(image, longest)
    height, width = view.image.shape[:2]
    if width < NARROWEST or height < LOWEST:
        return []
    found = [*by_colour(view), *by_edges(view), *by_characters(view)]
    worth = [one for one in ranked(view, found) if one.score > LEAST]
    return [one.scaled(view.scale) for one in suppress(worth, SAME, most)]
