"""What is no plate and looks a little like one: grilles, writing, lamps, textures, half plates."""

import cv2
import numpy as np

from didact_plates.grammar import ALPHABET, HANZI, LATIN
from didact_plates.synthetic.plates import glyph
from didact_plates.synthetic.texts import pick

FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    base = rng.uniform(5, 245)
    blue, green, red = np.clip(base + rng.normal(0, 35, 3), 0, 255)
    return int(blue), int(green), int(red)


def texture(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Smooth and rough patches of colour."""
    cells = (int(rng.integers(2, 7)), int(rng.integers(2, 14)), 3)
    rough = np.array(_colour(rng)) + rng.normal(0, rng.uniform(3, 60), cells)
    mode = (cv2.INTER_LINEAR, cv2.INTER_NEAREST, cv2.INTER_CUBIC)[int(rng.integers(3))]
    image = cv2.resize(np.clip(rough, 0, 255).astype(np.uint8), (width, height), interpolation=mode)
    for _ in range(int(rng.integers(0, 5))):
        start = (int(rng.integers(width)), int(rng.integers(height)))
        end = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.line(image, start, end, _colour(rng), int(rng.integers(1, 5)), cv2.LINE_AA)
    return image


def grille(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Bars of a radiator: upright, level, or both."""
    image = texture(height, width, rng)
    bright, pitch = _colour(rng), int(rng.integers(4, max(5, min(24, width // 4))))
    thick = max(1, int(pitch * rng.uniform(0.2, 0.6)))
    slant = int(rng.normal(0, height * 0.15))
    kind = rng.integers(3)
    if kind != 1:
        for x in range(int(rng.integers(pitch)), width, pitch):
            cv2.line(image, (x, 0), (x + slant, height), bright, thick, cv2.LINE_AA)
    if kind != 0:
        for y in range(int(rng.integers(pitch)), height, pitch):
            cv2.line(image, (0, y), (width, y), bright, thick, cv2.LINE_AA)
    return image


def writing(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A sign, a sticker, a telephone number: text of another length or in another type."""
    image = np.empty((height, width, 3), dtype=np.uint8)
    image[:] = _colour(rng)
    ink = _colour(rng)
    if rng.random() < 0.5:
        text = "".join(pick(LATIN, rng) for _ in range(int(rng.integers(2, 13))))
        size = height / 34 * rng.uniform(0.5, 1.1)
        font = FONTS[int(rng.integers(len(FONTS)))]
        corner = (int(width * rng.uniform(0, 0.2)), int(height * rng.uniform(0.6, 0.85)))
        cv2.putText(
            image, text, corner, font, size, ink, max(1, int(size * rng.uniform(1, 3))), cv2.LINE_AA
        )
        return image
    kind = rng.integers(3)
    count = int(rng.choice([2, 3, 4, 5, 10, 11, 12, 13]))
    letters = (HANZI, LATIN, ALPHABET)[int(kind)]
    high = int(height * rng.uniform(0.5, 0.95))
    step = width / count
    wide = max(3, int(step * rng.uniform(0.6, 0.9)))
    top = int((height - high) * rng.random())
    for place in range(count):
        mask = glyph(pick(letters, rng), 45, 90, int(rng.integers(-1, 2)))
        alpha = cv2.resize(mask, (wide, high), interpolation=cv2.INTER_AREA)[:, :, None] / 255
        left = int(place * step)
        part = image[top : top + high, left : left + wide]
        alpha = alpha[: part.shape[0], : part.shape[1]]
        part[:] = (part * (1 - alpha) + np.array(ink) * alpha).astype(np.uint8)
    return image


def lamp(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Round and oval things: lamps, badges, wheels."""
    image = texture(height, width, rng)
    for _ in range(int(rng.integers(1, 5))):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (int(rng.integers(3, max(4, width // 3))), int(rng.integers(3, max(4, height // 2))))
        filled = -1 if rng.random() < 0.5 else int(rng.integers(1, 4))
        cv2.ellipse(
            image, centre, axes, rng.uniform(0, 180), 0, 360, _colour(rng), filled, cv2.LINE_AA
        )
    return image


def distractor(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """One of them, uint8 BGR ``[height, width, 3]``."""
    kinds = (texture, grille, writing, writing, lamp)
    return kinds[int(rng.integers(len(kinds)))](height, width, rng)
