"""A flat plate: its ground, frame and characters where GA 36 puts them, as a picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from didact_plates.grammar import HANZI
from didact_plates.synthetic.glyphs import latin
from didact_plates.synthetic.texts import Kind, draw_kind, draw_text

FONT = Path(__file__).parent / "plate_hanzi.otf"
PENS = (7.2, 8.6, 10.0)
RED = (30, 25, 190)

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Plate:
    """A plate before it is photographed.

    Attributes:
        text: What stands on it.
        colour: One of ``blue``, ``yellow``, ``green``, ``white``, ``black``.
        rows: 1 or 2.
        image: uint8 BGR.
        boxes: ``[characters, 4]``, left, top, right, bottom of each in pixels of ``image``.
    """

    text: str
    colour: str
    rows: int
    image: np.ndarray
    boxes: np.ndarray


@cache
def hanzi(character: str, weight: int = 0) -> np.ndarray:
    """The mask of a hanzi over 45 x 90 mm, uint8 ``[360, 180]``; ``weight`` -1, 0 or 1."""
    font = ImageFont.truetype(str(FONT), 320)
    picture = Image.new("L", (400, 480))
    ImageDraw.Draw(picture).text((40, 20), character, font=font, fill=255)
    mask = np.asarray(picture)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    mask = cv2.resize(mask, (180, 360), interpolation=cv2.INTER_AREA)
    # the horizontal strokes became thick by the stretching, the upright ones thin
    mask = cv2.erode(mask, np.ones((7, 1), np.uint8))
    if weight < 0:
        mask = cv2.erode(mask, np.ones((5, 3), np.uint8))
    if weight > 0:
        mask = cv2.dilate(mask, np.ones((4, 7), np.uint8))
    return mask


@cache
def glyph(
    character: str, width: int, height: int, weight: int = 0, bare: bool = False
) -> np.ndarray:
    """The mask of any character, uint8 ``[height, width]``."""
    if character in HANZI:
        mask = hanzi(character, weight)
    else:
        mask = latin(character, PENS[weight + 1], bare)
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)


def _written(character: str, width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """A hanzi with a weight, a size and bent strokes of its own.

    Plates have another type than Noto's, and the hanzi is often lower than the letters beside it.
    """
    mask = glyph(character, width, height, int(rng.integers(-1, 2)))
    bend = rng.normal(0, 0.03, (2, 3, 3)) * np.array([[[width]], [[height]]])
    shift = [cv2.resize(part, (width, height)) for part in bend.astype(np.float32)]
    broad, high = 1 - rng.uniform(0, 0.12), 1 - rng.uniform(0, 0.4)
    middle = height * (0.5 + rng.normal(0, 0.1) * (1 - high))
    x = (np.arange(width, dtype=np.float32) - width / 2) / np.float32(broad) + width / 2
    y = (np.arange(height, dtype=np.float32) - middle) / np.float32(high) + height / 2
    return np.asarray(cv2.remap(mask, x[None] + shift[0], y[:, None] + shift[1], cv2.INTER_LINEAR))


def _fitted(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture of a character, its black border off, over the field as broad as it is."""
    seen = picture > 100
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    mask = np.zeros((height, width), dtype=np.uint8)
    if not len(rows):
        return mask
    picture = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    narrow = picture.shape[1] < 0.35 * picture.shape[0]  # a 1 stays one
    broad = max(round(height * picture.shape[1] / picture.shape[0]), 1) if narrow else width
    left = (width - min(broad, width)) // 2
    size = (min(broad, width), height)
    mask[:, left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    return mask


def places(text: str, rows: int) -> tuple[list[Box], tuple[float, float], Box | None]:
    """Boxes of the characters in millimetres, size of the plate, and the dot (or None)."""
    if rows == 2:
        top = [(110.0, 15.0, 190.0, 75.0), (250.0, 15.0, 330.0, 75.0)]
        bottom = [(27.5 + 80 * i, 90.0, 92.5 + 80 * i, 200.0) for i in range(len(text) - 2)]
        return top + bottom, (440.0, 220.0), (213.0, 38.0, 227.0, 52.0)
    if len(text) == 8:
        lefts = [15.5, 69.5, *(163.5 + 52 * i for i in range(6))]
        return (
            [(x, 25.0, x + (45 if i < 2 else 43), 115.0) for i, x in enumerate(lefts)],
            (480.0, 140.0),
            None,
        )
    lefts = [15.5, 72.5, *(151.5 + 57 * i for i in range(5))]
    return [(x, 25.0, x + 45, 115.0) for x in lefts], (440.0, 140.0), (129.0, 65.0, 140.0, 76.0)


GROUNDS = {
    "blue": ((175, 75, 15), (245, 245, 245)),
    "yellow": (((20, 185, 240)), (20, 20, 20)),
    "white": ((235, 235, 235), (20, 20, 20)),
    "black": ((25, 22, 22), (240, 240, 240)),
    "green": ((120, 190, 80), (20, 20, 20)),
}


def _ground(kind: Kind, text: str, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    base = np.clip(np.array(GROUNDS[kind.colour][0]) + rng.normal(0, 14, 3), 0, 255)
    if kind.colour != "green":
        plain = np.empty((height, width, 3), dtype=np.uint8)
        plain[:] = base.astype(np.uint8)
        return plain
    ground = np.empty((height, width, 3), dtype=np.float32)
    ground[:] = base
    if text[2].isdigit():  # large: yellow on the left
        ground[:, : int(width * 0.27)] = np.array((30, 190, 235)) + rng.normal(0, 12, 3)
    else:
        fade = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** rng.uniform(0.6, 1.6)
        ground = ground * fade + np.array((225, 240, 225), dtype=np.float32) * (1 - fade)
    return np.clip(ground, 0, 255).astype(np.uint8)


def draw_plate(
    rng: np.random.Generator,
    *,
    kind: Kind | None = None,
    text: str | None = None,
    scale: float = 0.4,
    cut: Mapping[str, np.ndarray] | None = None,
) -> Plate:
    """A flat plate.

    Args:
        rng: Where chance comes from.
        kind: Drawn by its share if None.
        text: Drawn if None.
        scale: Pixels a millimetre.
        cut: For some characters, pictures of them, uint8 ``[n, height, width]``, white on black, to
            take in place of the drawn shapes on every second plate.
    """
    kind = kind or draw_kind(rng)
    text = text or draw_text(kind, rng)
    boxes, (width_mm, height_mm), dot = places(text, kind.rows)
    width, height = round(width_mm * scale), round(height_mm * scale)
    ink = np.zeros((height, width), dtype=np.uint8)
    weight, bare = int(rng.integers(-1, 2)), bool(rng.random() < 0.5)
    shift = rng.normal(0, 1.2, 2)
    drawn = np.array(boxes) + np.array([*shift, *shift])
    pictures = (cut or {}) if rng.random() < 0.5 else {}
    for character, (x0, y0, x1, y1) in zip(text, drawn, strict=True):
        w, h = round((x1 - x0) * scale), round((y1 - y0) * scale)
        left, top = max(round(x0 * scale), 0), max(round(y0 * scale), 0)
        if character in pictures:
            some = pictures[character]
            mask = _fitted(some[int(rng.integers(len(some)))], w, h)
        elif character in HANZI:
            mask = _written(character, w, h, rng)
        else:
            mask = glyph(character, w, h, weight, bare)
        region = ink[top : top + h, left : left + w]
        np.maximum(region, mask[: region.shape[0], : region.shape[1]], out=region)
    if dot and rng.random() < 0.9:
        centre = (round((dot[0] + dot[2]) / 2 * scale), round((dot[1] + dot[3]) / 2 * scale))
        cv2.circle(ink, centre, max(round(5 * scale), 1), 255, -1, cv2.LINE_AA)
    if rng.random() < 0.85:
        edge = round(rng.uniform(1, 6) * scale)
        end = (width - 1 - edge, height - 1 - edge)
        cv2.rectangle(ink, (edge, edge), end, 255, max(round(3 * scale), 1))
    image = _ground(kind, text, height, width, rng)
    colours = np.empty_like(image)
    colours[:] = GROUNDS[kind.colour][1]
    if kind.colour == "white" and rng.random() < 0.9:
        colours[:, int(drawn[-1][0] * scale) - 1 :] = RED
    alpha = ink.astype(np.float32) / 255
    picture = cv2.blendLinear(image, colours, 1 - alpha, alpha)
    return Plate(text, kind.colour, kind.rows, _worn(picture, scale, rng), drawn * scale)


def _worn(image: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Screws and dirt: never so much that a character can no longer be told."""
    height, width = image.shape[:2]
    if rng.random() < 0.6:
        shade = int(rng.integers(40, 220))
        for x in (0.25, 0.75):
            for y in (0.09, 0.91):
                centre = (int(width * (x + rng.normal(0, 0.02))), int(height * y))
                cv2.circle(
                    image,
                    centre,
                    max(round(rng.uniform(4, 8) * scale), 1),
                    (shade,) * 3,
                    -1,
                    cv2.LINE_AA,
                )
    if rng.random() < 0.35:
        spots = cv2.resize(
            rng.random((5, 12), dtype=np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        strength = np.clip((spots - 0.7) * rng.uniform(1, 3), 0, 0.65)
        mud = np.empty_like(image)
        mud[:] = np.clip(rng.uniform(30, 160) + rng.normal(0, 10, 3), 0, 255).astype(np.uint8)
        image = cv2.blendLinear(image, mud, 1 - strength, strength)
    return image
