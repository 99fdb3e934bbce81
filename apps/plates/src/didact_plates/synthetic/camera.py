"""What a camera makes of a flat plate: place, light, blur, noise, JPEG, few pixels."""

from dataclasses import dataclass

import cv2
import numpy as np

from didact_plates.synthetic.plates import Plate


@dataclass(frozen=True)
class Crop:
    """A photographed plate, cut out about upright.

    Attributes:
        text: What stands on it; "" for a crop without a plate.
        colour: Colour of the plate, "" without one.
        rows: 1 or 2.
        image: uint8 BGR.
        spans: ``[characters, 4]``: left, right, top, bottom of each character, as parts of the
            width and height.
    """

    text: str
    colour: str
    rows: int
    image: np.ndarray
    spans: np.ndarray


def surround(image: np.ndarray, pad: int, rng: np.random.Generator) -> np.ndarray:
    """``image`` with ``pad`` pixels of car round it: one colour or a texture, often a dark rim."""
    height, width = image.shape[:2]
    shape = (height + 2 * pad, width + 2 * pad)
    base = rng.uniform(10, 230) + rng.normal(0, 15, 3)
    if rng.random() < 0.5:
        rough = rng.random((int(rng.integers(2, 8)), int(rng.integers(2, 12)), 1)) - 0.5
        texture = np.clip(base + rough * rng.uniform(20, 200), 0, 255).astype(np.uint8)
        canvas = cv2.resize(texture, shape[::-1], interpolation=cv2.INTER_LINEAR)
    else:
        canvas = np.empty((*shape, 3), dtype=np.uint8)
        canvas[:] = np.clip(base, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        rim = int(rng.integers(1, max(pad // 3, 2) + 1))
        shade = rng.uniform(5, 80) if rng.random() < 0.7 else rng.uniform(120, 240)
        canvas[pad - rim : pad + height + rim, pad - rim : pad + width + rim] = int(shade)
    canvas[pad : pad + height, pad : pad + width] = image
    return canvas


def _corners(width: float, height: float, rng: np.random.Generator, hard: float) -> np.ndarray:
    """Where the crop's corners lie on the plate, in the plate's pixels: place, turn and slant."""
    quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    if rng.random() < 0.4:  # the upright box round a plate that is turned
        angle = np.deg2rad(rng.normal(0, 6 * hard))
        slant = rng.normal(0, 0.10 * hard)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = turn @ np.array([[1, slant], [0, 1]])
        taper = rng.normal(0, 0.05 * hard, (4, 2)) * (width * 0.3, height)
        seen = (quad + taper - (width / 2, height / 2)) @ matrix.T
        low, high = seen.min(0), seen.max(0)
        size = high - low
        low = low + size * rng.normal(-0.01, 0.02, 2)
        high = high + size * rng.normal(0.01, 0.02, 2)
        box = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
        to_plate = cv2.getPerspectiveTransform(seen.astype(np.float32), quad.astype(np.float32))
        return np.array(cv2.perspectiveTransform(box[None].astype(np.float32), to_plate)[0])
    size = np.array([width, height])
    left_top = size * (-rng.normal((0.015, 0.03), (0.022, 0.07)))
    right_bottom = size * (1 + rng.normal((0.015, 0.03), (0.022, 0.07)))
    quad = np.array(
        [left_top, (right_bottom[0], left_top[1]), right_bottom, (left_top[0], right_bottom[1])]
    )
    slant = rng.normal(0, 0.12 * hard) * height
    quad += np.array([[slant, 0], [slant, 0], [-slant, 0], [-slant, 0]]) / 2
    tilt = rng.normal(0, 0.12 * hard) * height
    quad += np.array([[0, -tilt], [0, tilt], [0, tilt], [0, -tilt]]) / 2
    return quad + rng.normal(0, 0.05 * hard, (4, 2)) * height * 0.5


def light(image: np.ndarray, rng: np.random.Generator, hard: float) -> np.ndarray:
    """Brightness, contrast, white balance, pale colours, shade and glare; float32 in 0..255."""
    height, width = image.shape[:2]
    out = image.astype(np.float32)
    if rng.random() < 0.7:
        out *= np.exp(rng.normal(0, 0.10 * hard, 3)).astype(np.float32)
    if rng.random() < 0.5:
        pale = rng.uniform(0, 0.6 * hard)
        out = out * (1 - pale) + out.mean(2, keepdims=True) * pale
    kind = rng.random()
    if kind < 0.25:  # dark
        out *= rng.uniform(0.12, 0.6)
    elif kind < 0.45:  # haze
        amount = rng.uniform(0.2, 0.75)
        out = out * (1 - amount) + rng.uniform(60, 220) * amount
    elif kind < 0.65:  # too much light
        out = out * rng.uniform(1.0, 1.6) + rng.uniform(0, 50)
    if rng.random() < 0.4:
        field = cv2.resize(rng.uniform(0.45, 1.25, (2, 3)).astype(np.float32), (width, height))
        out *= field[:, :, None]
    if rng.random() < 0.15:
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        columns = (np.arange(width, dtype=np.float32) - x) / (width * rng.uniform(0.05, 0.25))
        rows = (np.arange(height, dtype=np.float32) - y) / (height * rng.uniform(0.2, 0.8))
        spot = np.exp(-(columns[None] ** 2) - rows[:, None] ** 2)
        out += spot[:, :, None] * rng.uniform(30, 130)
    if rng.random() < 0.15:  # the edge of a shadow
        cut = rng.uniform(0, width) + (np.arange(height) - height / 2) * rng.normal(0, 1.5)
        out[np.arange(width)[None] < cut[:, None]] *= rng.uniform(0.35, 0.8)
    return out


def spoil(image: np.ndarray, rng: np.random.Generator, hard: float) -> np.ndarray:
    """Motion, noise, sharpening and JPEG; takes float32, gives uint8."""
    if rng.random() < 0.2 * hard:
        length = int(rng.integers(2, 5))
        kernel = np.zeros((5, 5), dtype=np.float32)
        angle = rng.uniform(0, np.pi)
        step = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        cv2.line(
            kernel,
            tuple(int(v) for v in np.round(2 - step)),
            tuple(int(v) for v in np.round(2 + step)),
            1.0,
        )
        image = cv2.filter2D(image, -1, kernel / kernel.sum())
    if rng.random() < 0.6:
        sigma = rng.exponential(4.0) * hard
        noise = rng.standard_normal(
            image.shape if rng.random() < 0.6 else image.shape[:2], dtype=np.float32
        )
        image = image + (noise if noise.ndim == 3 else noise[:, :, None]) * min(sigma, 14)
    if rng.random() < 0.15:
        image = image * 1.7 - cv2.GaussianBlur(image, (0, 0), 1.2) * 0.7
    out = np.clip(image, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(30, 95))
        _, coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])
        out = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
    return np.asarray(out)


def photograph(
    plate: Plate,
    rng: np.random.Generator,
    *,
    size: tuple[int, int] = (128, 32),
    hard: float = 1.0,
    corners: np.ndarray | None = None,
) -> Crop:
    """A crop of ``plate`` as a camera and a locator would give it.

    Args:
        plate: The flat plate.
        rng: Where chance comes from.
        size: Width and height of the crop.
        hard: 0 is a frontal plate in even light; 1 what a person can still read with care.
        corners: Where the crop's corners lie on the plate, in its pixels; drawn if None.
    """
    pad = plate.image.shape[0] // 3
    canvas = surround(plate.image, pad, rng)
    height, width = plate.image.shape[:2]
    quad = _corners(width, height, rng, hard) if corners is None else corners
    columns = float(np.exp(rng.uniform(np.log(66), np.log(190))))
    low = (round(columns), max(round(columns * size[1] / size[0]), 14))
    target = np.array([[0, 0], [low[0], 0], [low[0], low[1]], [0, low[1]]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform((quad + pad).astype(np.float32), target)
    ratio = max((quad[1, 0] - quad[0, 0]) / low[0], 1.0)
    defocus = rng.exponential(0.45) * hard if rng.random() < 0.6 else 0.0
    sigma = 0.45 * np.sqrt(ratio**2 - 1) + min(defocus, 1.6) * ratio
    if sigma > 0.3:
        canvas = cv2.GaussianBlur(canvas, (0, 0), sigma)
    seen = cv2.warpPerspective(
        canvas, matrix, low, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    seen = spoil(light(seen, rng, hard), rng, hard)
    flag = (
        cv2.INTER_AREA
        if low[0] > size[0]
        else (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(rng.integers(2))]
    )
    seen = cv2.resize(seen, size, interpolation=flag)
    return Crop(plate.text, plate.colour, plate.rows, seen, _spans(plate.boxes + pad, matrix, low))


def _spans(boxes: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    x0, y0, x1, y1 = boxes.T
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    points = np.stack([[x0, middle_y], [x1, middle_y], [middle_x, y0], [middle_x, y1]]).transpose(
        2, 0, 1
    )
    seen = cv2.perspectiveTransform(points.astype(np.float32), matrix)
    return np.stack(
        [
            seen[:, 0, 0] / size[0],
            seen[:, 1, 0] / size[0],
            seen[:, 2, 1] / size[1],
            seen[:, 3, 1] / size[1],
        ],
        axis=1,
    )
