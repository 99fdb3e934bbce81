"""Plates drawn from shapes: no photograph, no personal data, every corner and character known.

``draw_plate`` gives a flat plate, ``photograph`` a crop of it as a camera and a locator would,
``draw_scene`` a whole picture with plates in it, ``draw_examples`` arrays for training and
``cut_characters`` binarised 20 x 20 characters. The same generator state gives the same picture.
"""

from didact_plates.grammar import COLOURS
from didact_plates.synthetic.camera import Crop, photograph
from didact_plates.synthetic.cut import cut_characters
from didact_plates.synthetic.distractors import distractor
from didact_plates.synthetic.examples import Examples, draw_examples
from didact_plates.synthetic.plates import Plate, draw_plate
from didact_plates.synthetic.scenes import Scene, draw_scene
from didact_plates.synthetic.texts import KINDS, Kind, draw_kind, draw_text

__all__ = [
    "COLOURS",
    "KINDS",
    "Crop",
    "Examples",
    "Kind",
    "Plate",
    "Scene",
    "cut_characters",
    "distractor",
    "draw_examples",
    "draw_kind",
    "draw_plate",
    "draw_scene",
    "draw_text",
    "photograph",
]
