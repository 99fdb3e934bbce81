"""Where plates may be in a photograph: three classical makers of candidates, and their ranking.

``candidates`` takes a BGR photograph and gives quadrilaterals, the likeliest first; ``cut`` makes
an upright picture of one. Calls OpenCV alone; whether a candidate is a plate is for a
reader to judge.
"""

from didact_plates.locate.candidates import Candidate, Corners, Image, cut, grown, overlap, suppress
from didact_plates.locate.search import candidates
from didact_plates.locate.straighten import straightened
from didact_plates.locate.views import LONGEST

__all__ = [
    "LONGEST",
    "Candidate",
    "Corners",
    "Image",
    "candidates",
    "cut",
    "grown",
    "overlap",
    "straightened",
    "suppress",
]
