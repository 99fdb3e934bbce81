"""Pictures for tests, drawn here: a plate of plain letters, and a reader that knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

BLUE = (170, 60, 20)


def plate(text: str = "A12345", height: int = 44) -> np.ndarray:
    """White letters on blue."""
    picture = Image.new("RGB", (140, 44), BLUE[::-1])
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(36)
    for place, character in enumerate(text):
        where = (16 + 22 * place, 36)
        pen.text(where, character, font=font, fill="white", anchor="ms", stroke_width=1)
    image = np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])
    return cv2.resize(image, (round(140 * height / 44), height), interpolation=cv2.INTER_AREA)


def scene(
    *, width: int = 640, height: int = 480, at: tuple[int, int] = (200, 300), high: int = 44
) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """A grey car with a plate, and the box of the plate."""
    image = np.full((height, width, 3), (140, 150, 145), np.uint8)
    cv2.rectangle(image, (80, 80), (width - 60, height - 60), (90, 95, 100), -1)
    cv2.rectangle(image, (140, 110), (width - 120, 220), (60, 55, 50), -1)
    one = plate(height=high)
    left, top = at
    image[top : top + one.shape[0], left : left + one.shape[1]] = one
    image = cv2.GaussianBlur(image, (3, 3), 0)
    return image, (left, top, left + one.shape[1], top + one.shape[0])


@dataclass(frozen=True)
class Said:
    text: str
    confidence: float
    colour: str = "blue"
    rows: int = 1


class BlueReader:
    """Reads a text on crops that are mostly blue."""

    def read(self, crops: Sequence[np.ndarray]) -> list[Said]:
        return [self._one(crop) for crop in crops]

    def _one(self, crop: np.ndarray) -> Said:
        mean = crop.reshape(-1, 3).mean(0)
        blue = float(mean[0] - mean[2]) / 255
        return Said("京A12345", min(0.5 + blue, 1.0)) if blue > 0.1 else Said("", 0.0)


def write(path: Path, image: np.ndarray) -> Path:
    ok, content = cv2.imencode(path.suffix, image)
    assert ok
    path.write_bytes(content.tobytes())
    return path
