"""The drawn plates on one picture: ``python benchmarks/contact_sheet.py [docs/plates]``.

Writes ``plates.jpg`` (each kind flat, then photographed), ``scenes.jpg`` and ``characters.png``.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from didact_plates.synthetic import KINDS, cut_characters, draw_plate, draw_scene, photograph

TILE = (132, 48)
SHOTS = 8


def framed(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``image`` as large as it fits into ``size``, on white, with a little room."""
    room = (size[0] - 4, size[1] - 4)
    scale = min(room[0] / image.shape[1], room[1] / image.shape[0])
    shown = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.full((size[1], size[0], 3), 255, dtype=np.uint8)
    top, left = (size[1] - shown.shape[0]) // 2, (size[0] - shown.shape[1]) // 2
    tile[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    return tile


def plates(rng: np.random.Generator) -> np.ndarray:
    """A row for each kind of plate: flat, then as a camera sees it."""
    rows = []
    for kind in KINDS:
        plate = draw_plate(rng, kind=kind)
        tiles = [framed(plate.image, TILE)]
        for _ in range(SHOTS):
            high = 32 if kind.rows == 1 else 64
            crop = photograph(plate, rng, size=(128, high))
            tiles.append(framed(crop.image, TILE))
        rows.append(np.hstack(tiles))
    return np.vstack(rows)


def scenes(rng: np.random.Generator) -> np.ndarray:
    """Six pictures of streets, the plates' corners marked."""
    tiles = []
    for _ in range(6):
        scene = draw_scene(rng, plates=int(rng.integers(1, 3)), hard=0.7)
        image = scene.image.copy()
        for box in scene.boxes:
            cv2.polylines(image, [np.round(box).astype(np.int32)], True, (60, 60, 255), 2)
        tiles.append(framed(image, (324, 244)))
    return np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])])


def characters(rng: np.random.Generator) -> np.ndarray:
    """Cut characters, black and white."""
    images, _ = cut_characters(160, rng)
    rows = [np.hstack(list(images[i : i + 40])) for i in range(0, 160, 40)]
    return cv2.resize(np.vstack(rows), None, fx=1.5, fy=1.5, interpolation=cv2.INTER_LINEAR)


def main(folder: str = "docs/plates") -> int:
    """Write the three pictures into ``folder``."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, draw in (("plates", plates), ("scenes", scenes), ("characters", characters)):
        image = draw(np.random.default_rng(2))
        suffix, options = (".png", [cv2.IMWRITE_PNG_COMPRESSION, 9])
        if name != "characters":
            suffix, options = (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 80])
        cv2.imencode(suffix, image, options)[1].tofile(str(target / f"{name}{suffix}"))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
