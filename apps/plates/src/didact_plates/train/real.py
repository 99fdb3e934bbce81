"""The user's own material: EasyPR's characters as shapes, cut plates named by their text."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from didact_plates.characters import CLASSES, easypr_characters
from didact_plates.errors import PlatesError
from didact_plates.grammar import INDEX, is_valid
from didact_plates.photographs import PICTURES
from didact_plates.reader.preparing import HEIGHT, TWO_ROWS, WIDTH, one_row, two_rows
from didact_plates.synthetic.camera import light, spoil
from didact_plates.synthetic.examples import FRAMES, LONGEST, NO_LABEL, Examples
from didact_plates.texts import say


def shapes_of(path: Path) -> dict[str, np.ndarray]:
    """EasyPR's characters for training, by character: what ``draw_plate`` takes as ``cut``."""
    (images, labels), _ = easypr_characters(path)
    return {character: images[labels == place] for place, character in enumerate(CLASSES)}


def named_crops(folder: Path) -> list[tuple[str, np.ndarray]]:
    """The cut plates of a folder, each with the text that its file's name begins with.

    ``京A12345.jpg`` and ``京A12345_2.png`` are plates; what is named otherwise is passed over.

    Raises:
        PlatesError: There is no such folder, or no such picture in it.
    """
    if not folder.is_dir():
        raise PlatesError(say("there is no folder {folder}", folder=folder))
    found = []
    for path in sorted(folder.iterdir()):
        text = re.split(r"[_.\- ]", path.name, maxsplit=1)[0]
        if path.suffix.lower() not in PICTURES or not is_valid(text):
            continue
        image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
        if image is not None:
            found.append((text, np.asarray(image)))
    if not found:
        raise PlatesError(
            say(
                "{folder} has no cut plate whose file is named by its text, such as 京A12345.jpg",
                folder=folder,
            )
        )
    return found


def crop_examples(crops: list[tuple[str, np.ndarray]], times: int, seed: int) -> Examples:
    """Each crop ``times`` times, moved, turned and lit a little otherwise; no frame labels."""
    rng = np.random.default_rng((seed, 94))
    count = len(crops) * times
    lines = np.empty((count, HEIGHT, WIDTH, 3), dtype=np.uint8)
    texts = np.zeros((count, LONGEST), dtype=np.int64)
    for index in range(count):
        text, image = crops[index % len(crops)]
        moved = _moved(image, rng)
        high = moved.shape[0] >= TWO_ROWS * moved.shape[1]
        lines[index] = (two_rows if high else one_row)(moved)
        texts[index, : len(text)] = [1 + INDEX[character] for character in text]
    unknown = np.full((count, FRAMES), NO_LABEL, dtype=np.int64)
    return Examples(lines, unknown, texts, np.full(count, NO_LABEL, dtype=np.int64))


def _moved(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    size = np.array([width, height])
    shift = rng.normal(0, (0.012, 0.04), 2) * size + rng.normal(0, (0.006, 0.03), (4, 2)) * size
    matrix = cv2.getPerspectiveTransform(corners, (corners + shift).astype(np.float32))
    moved = cv2.warpPerspective(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if rng.random() < 0.3:
        return np.asarray(moved)
    return spoil(light(moved, rng, 0.5), rng, 0.4)
