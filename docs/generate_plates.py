"""Draws the pictures of docs/plates.md, all of them synthetic.

    python docs/generate_plates.py

``plates/places.jpg``: candidates of each maker on a drawn street. ``apps/plates/examples``: the
streets that are shipped. The other pictures come from ``apps/plates/benchmarks/contact_sheet.py``.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from didact_plates.locate.characters import by_characters
from didact_plates.locate.colour import by_colour
from didact_plates.locate.edges import by_edges
from didact_plates.locate.views import look_at
from didact_plates.synthetic import Scene, draw_scene

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "plates"
EXAMPLES = ROOT / "apps" / "plates" / "examples"
STREETS = {"street-1.jpg": (7, 2), "street-2.jpg": (5, 2)}
"""Each street with the seed it is drawn from and how many plates it has."""


def write(path: Path, image: np.ndarray, quality: int = 85) -> None:
    ok, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.tobytes())


def street(seed: int, plates: int) -> Scene:
    return draw_scene(np.random.default_rng(seed), size=(640, 480), plates=plates, hard=0.6)


def places(image: np.ndarray) -> np.ndarray:
    """What each maker finds, side by side."""
    view, shown = look_at(image), []
    for maker in (by_colour, by_edges, by_characters):
        one = image.copy()
        for found in maker(view):
            cv2.polylines(one, [np.int32(found.corners)], True, (32, 64, 255), 2, cv2.LINE_AA)
        shown.append(cv2.resize(one, (426, 320), interpolation=cv2.INTER_AREA))
    return np.hstack(shown)


def main() -> None:
    for name, (seed, plates) in STREETS.items():
        write(EXAMPLES / name, street(seed, plates).image)
    write(IMAGES / "places.jpg", places(street(*STREETS["street-1.jpg"]).image))


if __name__ == "__main__":
    main()
