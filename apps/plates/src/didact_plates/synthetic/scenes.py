"""Whole pictures: a street of shapes with cars, things that look like plates, and plates."""

from dataclasses import dataclass

import cv2
import numpy as np

from didact_plates.synthetic.camera import light, spoil
from didact_plates.synthetic.distractors import distractor, grille, lamp, texture
from didact_plates.synthetic.plates import Plate, draw_plate


@dataclass(frozen=True)
class Scene:
    """A picture with plates in it.

    Attributes:
        image: uint8 BGR.
        boxes: float32 ``[plates, 4, 2]``: each plate's corners, from its own top left clockwise.
        texts: What stands on each.
        colours: The colour of each.
        rows: 1 or 2 for each.
    """

    image: np.ndarray
    boxes: np.ndarray
    texts: tuple[str, ...]
    colours: tuple[str, ...]
    rows: tuple[int, ...]


def draw_scene(
    rng: np.random.Generator,
    *,
    size: tuple[int, int] = (640, 480),
    plates: int | None = None,
    hard: float = 1.0,
) -> Scene:
    """A street-like picture with ``plates`` plates on cars (0 to 3 if None; mostly one).

    Args:
        rng: Where chance comes from.
        size: Width and height of the picture.
        plates: How many.
        hard: Of light, blur, slant and noise, as in :func:`photograph`.
    """
    width, height = size
    count = int(rng.choice([0, 1, 1, 1, 1, 1, 2, 2, 3])) if plates is None else plates
    image = _street(width, height, rng)
    boxes, drawn = [], []
    taken: list[tuple[float, float, float, float]] = []
    for _ in range(count):
        plate = draw_plate(rng, scale=0.5)
        wide = (
            width * float(np.exp(rng.uniform(np.log(0.12), np.log(0.34)))) / max(1.0, count * 0.6)
        )
        quad = _somewhere(plate, wide, size, taken, rng, hard)
        if quad is None:
            continue
        boxes.append(quad)
        drawn.append(plate)
    for quad in boxes:
        _car(image, quad, rng)
    for plate, quad in zip(drawn, boxes, strict=True):
        _paste(image, plate, quad)
    image = light(image, rng, hard * 0.8)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9))
    return Scene(
        spoil(image, rng, hard * 0.7),
        np.array(boxes, dtype=np.float32).reshape(-1, 4, 2),
        tuple(plate.text for plate in drawn),
        tuple(plate.colour for plate in drawn),
        tuple(plate.rows for plate in drawn),
    )


def _street(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    image = texture(height, width, rng)
    horizon = int(height * rng.uniform(0.2, 0.5))
    image[horizon:] = cv2.addWeighted(
        image[horizon:], 0.3, texture(height - horizon, width, rng), 0.7, 0
    )
    for _ in range(int(rng.integers(4, 14))):  # houses, posts, signs
        w, h = int(width * rng.uniform(0.03, 0.3)), int(height * rng.uniform(0.05, 0.5))
        x, y = int(rng.integers(0, max(width - w, 1))), int(rng.integers(0, max(height - h, 1)))
        patch = distractor(max(h, 8), max(w, 16), rng)
        region = image[y : y + h, x : x + w]
        region[:] = patch[: region.shape[0], : region.shape[1]]
    return image


def _somewhere(
    plate: Plate,
    wide: float,
    size: tuple[int, int],
    taken: list[tuple[float, float, float, float]],
    rng: np.random.Generator,
    hard: float,
) -> np.ndarray | None:
    """Corners of the plate in the picture, clear of other plates; None where there is no room."""
    ratio = plate.image.shape[0] / plate.image.shape[1]
    flat = np.array([[-0.5, -ratio / 2], [0.5, -ratio / 2], [0.5, ratio / 2], [-0.5, ratio / 2]])
    for _ in range(20):
        angle = np.deg2rad(np.clip(rng.normal(0, 5 * hard), -18, 18))
        narrow = rng.uniform(0.75, 1.0)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        shape = np.array([[narrow, rng.normal(0, 0.08 * hard)], [0, 1]])
        quad = (flat + rng.normal(0, 0.012 * hard, (4, 2))) @ (turn @ shape).T * wide
        low, high = quad.min(0), quad.max(0)
        room = np.array(size) - (high - low) - 8
        if (room <= 0).any():
            wide *= 0.8
            continue
        corner = np.array(
            [rng.uniform(4, 4 + room[0]), rng.uniform(4 + room[1] * 0.25, 4 + room[1])]
        )
        quad = np.array(quad - low + corner)
        box = (*quad.min(0) - wide * 0.3, *quad.max(0) + wide * 0.3)
        if all(box[2] < b[0] or b[2] < box[0] or box[3] < b[1] or b[3] < box[1] for b in taken):
            taken.append(box)
            return quad
    return None


def _car(image: np.ndarray, quad: np.ndarray, rng: np.random.Generator) -> None:
    """Body, grille, lamps and a bumper round the place of a plate."""
    height, width = image.shape[:2]
    wide = quad[:, 0].max() - quad[:, 0].min()
    cx, cy = quad.mean(0)
    left, right = int(cx - wide * rng.uniform(1.2, 2.2)), int(cx + wide * rng.uniform(1.2, 2.2))
    top, bottom = int(cy - wide * rng.uniform(0.8, 1.8)), int(cy + wide * rng.uniform(0.2, 0.6))
    body = tuple(int(v) for v in np.clip(rng.uniform(5, 240) + rng.normal(0, 30, 3), 0, 255))
    if rng.random() < 0.25:
        body = (
            int(rng.integers(90, 220)),
            int(rng.integers(30, 110)),
            int(rng.integers(5, 60)),
        )  # blue
    cv2.rectangle(image, (left, top), (right, bottom), body, -1)
    shade = tuple(int(v * rng.uniform(0.2, 0.8)) for v in body)
    cv2.rectangle(
        image,
        (left, int(cy - wide * 0.3)),
        (right, int(cy + wide * 0.3)),
        shade,
        int(rng.integers(1, 8)),
    )
    for kind, part in (
        (grille, (0.5, 0.25, -0.55)),
        (lamp, (0.35, 0.22, -0.5)),
        (lamp, (0.35, 0.22, -0.5)),
    ):
        w, h = (
            int(wide * part[0] * rng.uniform(0.6, 1.8)),
            int(wide * part[1] * rng.uniform(0.5, 1.3)),
        )
        side = 0.0 if kind is grille else rng.choice([-1.0, 1.0])
        x, y = int(cx + side * wide - w / 2), int(cy + part[2] * wide - h / 2)
        x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
        region = image[y : y + max(h, 4), x : x + max(w, 8)]
        region[:] = kind(max(h, 4), max(w, 8), rng)[: region.shape[0], : region.shape[1]]


def _paste(image: np.ndarray, plate: Plate, quad: np.ndarray) -> None:
    height, width = plate.image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    ratio = width / max(float(np.linalg.norm(quad[1] - quad[0])), 1.0)
    flat = plate.image
    if ratio > 1.1:
        flat = cv2.GaussianBlur(flat, (0, 0), 0.45 * float(np.sqrt(ratio**2 - 1)))
    matrix = cv2.getPerspectiveTransform(corners, quad.astype(np.float32))
    low = np.maximum(np.floor(quad.min(0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(quad.max(0)).astype(int) + 2, (image.shape[1], image.shape[0]))
    move = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], dtype=np.float64)
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    seen = cv2.warpPerspective(
        flat, move @ matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    mask = np.zeros(size[::-1], dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.round((quad - low) * 16).astype(np.int32), 255, cv2.LINE_AA, 4)
    alpha = mask.astype(np.float32) / 255
    region = image[low[1] : high[1], low[0] : high[0]]
    region[:] = cv2.blendLinear(np.ascontiguousarray(region), seen, 1 - alpha, alpha)
