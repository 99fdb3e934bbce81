"""Arrays for training: lines, the label of each frame, texts and colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields

import cv2
import numpy as np

from didact_plates.grammar import COLOURS, INDEX
from didact_plates.reader.preparing import HEIGHT, WIDTH, line_spans, one_row, two_rows
from didact_plates.synthetic.camera import Crop, light, photograph, spoil
from didact_plates.synthetic.distractors import distractor
from didact_plates.synthetic.plates import draw_plate

FRAMES = 32
LONGEST = 8
NO_PLATE = len(COLOURS)
NO_LABEL = -100
"""Of a frame or a colour that nobody told."""

Cut = Mapping[str, np.ndarray] | None


@dataclass(frozen=True)
class Examples:
    """Lines with what is known of them.

    Attributes:
        lines: uint8 BGR ``[n, 32, 128, 3]``.
        frames: int64 ``[n, 32]``: 0 between characters, 1 + place in the alphabet on one.
        texts: int64 ``[n, 8]``: 1 + place in the alphabet, then zeros.
        colours: int64 ``[n]``: place in ``COLOURS``; ``NO_PLATE`` for none.
    """

    lines: np.ndarray
    frames: np.ndarray
    texts: np.ndarray
    colours: np.ndarray

    def __len__(self) -> int:
        return len(self.lines)

    def take(self, rows: np.ndarray) -> Examples:
        """The examples at ``rows``."""
        return Examples(self.lines[rows], self.frames[rows], self.texts[rows], self.colours[rows])


def together(*parts: Examples) -> Examples:
    """All examples of all parts, one behind the other."""
    names = [field.name for field in fields(Examples)]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return Examples(**joined)


def frame_labels(text: str, spans: np.ndarray) -> np.ndarray:
    """The label of each frame: the character whose middle three fifths the frame's middle hits."""
    labels = np.zeros(FRAMES, dtype=np.int64)
    step = WIDTH / FRAMES
    for character, (left, right) in zip(text, spans, strict=True):
        edge = (right - left) * 0.2
        first = int(np.ceil((left + edge) / step - 0.5))
        last = int(np.floor((right - edge) / step - 0.5))
        middle = int((left + right) / 2 / step)
        first, last = min(first, middle), max(last, middle)
        labels[max(first, 0) : max(last + 1, 0)] = 1 + INDEX[character]
    return labels


def _plates(
    count: int, rng: np.random.Generator, hard: float, cut: Cut, shots: int = 3
) -> Iterator[tuple[Crop, np.ndarray]]:
    made = 0
    while made < count:
        plate = draw_plate(rng, cut=cut)
        for _ in range(min(shots, count - made)):
            size = (WIDTH, HEIGHT) if plate.rows == 1 else (WIDTH, 2 * HEIGHT)
            crop = photograph(plate, rng, size=size, hard=hard)
            yield crop, (one_row if plate.rows == 1 else two_rows)(crop.image)
            made += 1


def _no_plate(rng: np.random.Generator) -> np.ndarray:
    """A distractor, half a plate, a plate far too small for its crop, or rows that are none."""
    if rng.random() < 0.55:
        image = distractor(48, 160, rng)
        return one_row(spoil(light(image, rng, 1.0), rng, 1.0))
    plate = draw_plate(rng)
    height, width = plate.image.shape[:2]
    kind = rng.integers(4)
    if kind == 0:  # moved along by two characters or more
        x0, y0 = width * rng.uniform(0.28, 0.8) * rng.choice([-1, 1]), height * rng.normal(0, 0.2)
        box = (x0, y0, x0 + width * rng.uniform(0.9, 1.2), y0 + height * rng.uniform(0.9, 1.3))
    elif kind == 1:  # moved up or down by half
        x0, y0 = width * rng.normal(0, 0.1), height * rng.uniform(0.5, 0.8) * rng.choice([-1, 1])
        box = (x0, y0, x0 + width * rng.uniform(0.9, 1.2), y0 + height)
    elif kind == 2:  # far away in the crop
        grown = rng.uniform(1.8, 3.5)
        x0, y0 = -width * (grown - 1) * rng.random(), -height * (grown - 1) * rng.random()
        box = (x0, y0, x0 + width * grown, y0 + height * grown)
    else:  # part of it
        x0 = width * rng.uniform(0, 0.5)
        y0 = height * rng.normal(0, 0.1)
        box = (x0, y0, x0 + width * rng.uniform(0.2, 0.45), y0 + height * rng.uniform(0.8, 1.2))
    corners = np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]])
    if plate.rows == 2 and rng.random() < 0.5:
        return one_row(photograph(plate, rng, size=(WIDTH, 2 * HEIGHT)).image)
    if plate.rows == 1 and rng.random() < 0.2:
        return two_rows(photograph(plate, rng, size=(WIDTH, 2 * HEIGHT)).image)
    return one_row(photograph(plate, rng, corners=corners).image)


def _chunk(count: int, seed: tuple[int, ...], hard: float, empty: float, cut: Cut) -> Examples:
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    negatives = round(count * empty)
    lines = np.empty((count, HEIGHT, WIDTH, 3), dtype=np.uint8)
    frames = np.zeros((count, FRAMES), dtype=np.int64)
    texts = np.zeros((count, LONGEST), dtype=np.int64)
    colours = np.full(count, NO_PLATE, dtype=np.int64)
    for index, (crop, line) in enumerate(_plates(count - negatives, rng, hard, cut)):
        lines[index] = line
        frames[index] = frame_labels(crop.text, line_spans(crop.spans, crop.rows))
        texts[index, : len(crop.text)] = [1 + INDEX[character] for character in crop.text]
        colours[index] = COLOURS.index(crop.colour)
    for index in range(count - negatives, count):
        lines[index] = _no_plate(rng)
    return Examples(lines, frames, texts, colours)


def draw_examples(
    count: int,
    *,
    seed: int = 0,
    hard: float = 1.0,
    empty: float = 0.12,
    processes: int = 1,
    chunk: int = 2000,
    cut: Cut = None,
) -> Examples:
    """``count`` lines, ``empty`` of them without a plate; the same for the same seed.

    Args:
        count: How many.
        seed: The random numbers' seed; the number of processes does not matter.
        hard: See :func:`didact_plates.synthetic.photograph`.
        empty: The part of lines without a plate, frames all blank.
        processes: How many work side by side.
        chunk: Lines per piece of work; part of what the seed stands for.
        cut: See :func:`didact_plates.synthetic.draw_plate`.
    """
    sizes = [min(chunk, count - start) for start in range(0, count, chunk)]
    seeds = [(seed, index) for index in range(len(sizes))]
    same = [[value] * len(sizes) for value in (hard, empty, cut)]
    if processes == 1 or len(sizes) == 1:
        parts = list(map(_chunk, sizes, seeds, *same))
    else:
        with ProcessPoolExecutor(processes) as pool:
            parts = list(pool.map(_chunk, sizes, seeds, *same))
    return together(*parts)
