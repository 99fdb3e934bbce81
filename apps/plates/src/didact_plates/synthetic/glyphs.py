"""The 34 letters and digits of GA 36, drawn as strokes on a field of 45 x 90 mm.

A glyph is a list of strokes, a stroke a list of points of its middle line; the pen is about 9 mm
wide. ``("arc", cx, cy, rx, ry, from, to)`` is part of an ellipse, angles in degrees, clockwise from
the right since y goes down.
"""

from functools import cache

import cv2
import numpy as np

Point = tuple[float, float]
Piece = Point | tuple[str, float, float, float, float, float, float]

LEFT, RIGHT, TOP, BOTTOM = 5.0, 40.0, 5.0, 85.0
MIDDLE = 22.5


def _arc(cx: float, cy: float, rx: float, ry: float, start: float, end: float) -> Piece:
    return ("arc", cx, cy, rx, ry, start, end)


STROKES: dict[str, list[list[Piece]]] = {
    "0": [[_arc(22.5, 23, 17.5, 18, 180, 360), _arc(22.5, 67, 17.5, 18, 0, 180), (5, 23)]],
    "1": [[(24, 3), (24, 87)], [(13, 16), (24, 5)]],
    "2": [[_arc(22.5, 23, 17, 18, 190, 370), (37, 36), (7, 83)], [(5, 85), (41, 85)]],
    "3": [[(5, 5), (38, 5), (21, 38)], [(21, 38), _arc(22, 61.5, 18, 23.5, -90, 165)]],
    "4": [[(27, 3), (6, 64)], [(4, 66), (43, 66)], [(33, 35), (33, 87)]],
    "5": [[(39, 5), (10, 5), (8, 44)], [(8, 44), _arc(22, 61, 18, 24, -125, 160)]],
    "6": [[(27, 3), (13, 32), (6, 52)], [_arc(22.5, 61, 17.5, 24, 0, 360)]],
    "7": [[(4, 5), (40, 5), (28, 38), (20, 87)]],
    "8": [[_arc(22.5, 24, 15, 19, 0, 360)], [_arc(22.5, 64, 17.5, 21, 0, 360)]],
    "9": [[(18, 87), (32, 58), (39, 38)], [_arc(22.5, 29, 17.5, 24, 0, 360)]],
    "A": [[(4, 88), (21, 3)], [(24, 3), (41, 88)], [(10, 62), (35, 62)]],
    "B": [
        [(6, 5), (6, 85)],
        [(6, 5), (24, 5), _arc(24, 23.5, 13, 18.5, -90, 90), (6, 42)],
        [(6, 42), (24, 42), _arc(24, 63.5, 15, 21.5, -90, 90), (6, 85)],
    ],
    "C": [[_arc(22.5, 23, 17.5, 18, 360, 180), _arc(22.5, 67, 17.5, 18, 180, 0)]],
    "D": [
        [(6, 5), (6, 85)],
        [(6, 5), (20, 5), _arc(20, 25, 19, 20, -90, 0), _arc(20, 65, 19, 20, 0, 90), (6, 85)],
    ],
    "E": [[(40, 5), (7, 5), (7, 85), (40, 85)], [(7, 43), (36, 43)]],
    "F": [[(40, 5), (7, 5), (7, 88)], [(7, 44), (35, 44)]],
    "G": [
        [_arc(22.5, 23, 17.5, 18, 350, 180), _arc(22.5, 67, 17.5, 18, 180, 0), (40, 48), (25, 48)]
    ],
    "H": [[(6, 2), (6, 88)], [(39, 2), (39, 88)], [(6, 43), (39, 43)]],
    "J": [[(34, 2), (34, 68), _arc(21, 68, 13, 17, 0, 165)]],
    "K": [[(7, 2), (7, 88)], [(39, 3), (9, 52)], [(20, 38), (40, 87)]],
    "L": [[(7, 2), (7, 85), (41, 85)]],
    "M": [[(5, 88), (5, 4), (22.5, 46), (40, 4), (40, 88)]],
    "N": [[(6, 88), (6, 4), (39, 86), (39, 2)]],
    "P": [[(7, 2), (7, 88)], [(7, 5), (24, 5), _arc(24, 27, 15, 22, -90, 90), (7, 49)]],
    "Q": [
        [_arc(22.5, 23, 17.5, 18, 180, 360), _arc(22.5, 67, 17.5, 18, 0, 180), (5, 23)],
        [(24, 62), (41, 88)],
    ],
    "R": [
        [(7, 2), (7, 88)],
        [(7, 5), (24, 5), _arc(24, 25, 14, 20, -90, 90), (7, 45)],
        [(23, 45), (40, 88)],
    ],
    "S": [[_arc(22.5, 23, 16.5, 18, 350, 140), (32, 50), _arc(22.5, 66, 17.5, 19, -50, 170)]],
    "T": [[(3, 5), (42, 5)], [(22.5, 5), (22.5, 88)]],
    "U": [[(5, 2), (5, 67), _arc(22.5, 67, 17.5, 18, 180, 0), (40, 67), (40, 2)]],
    "V": [[(4, 2), (22.5, 86), (41, 2)]],
    "W": [[(4, 2), (13, 86), (22.5, 22), (32, 86), (41, 2)]],
    "X": [[(5, 2), (40, 88)], [(40, 2), (5, 88)]],
    "Y": [[(4, 2), (22.5, 44)], [(41, 2), (22.5, 44)], [(22.5, 40), (22.5, 88)]],
    "Z": [[(6, 5), (39, 5), (6, 85), (41, 85)]],
}

BARE_ONE: list[list[Piece]] = [[(22.5, 2), (22.5, 88)]]


def _points(stroke: list[Piece]) -> np.ndarray:
    points: list[Point] = []
    for piece in stroke:
        if len(piece) == 2:
            points.append((float(piece[0]), float(piece[1])))
            continue
        _, cx, cy, rx, ry, start, end = piece
        for angle in np.linspace(start, end, max(4, int(abs(end - start) / 8))):
            radians = np.deg2rad(angle)
            points.append((cx + rx * float(np.cos(radians)), cy + ry * float(np.sin(radians))))
    return np.array(points)


@cache
def latin(character: str, pen: float = 9.0, bare_one: bool = False) -> np.ndarray:
    """The mask of a letter or digit, uint8 ``[360, 180]``: four pixels a millimetre."""
    scale, shift = 4, 4
    image = np.zeros((90 * scale, 45 * scale), dtype=np.uint8)
    strokes = BARE_ONE if bare_one and character == "1" else STROKES[character]
    inset = pen / 2 + 0.4
    low = np.array([inset, inset])
    high = np.array([45 - inset, 90 - inset])
    for stroke in strokes:
        points = np.clip(_points(stroke), low, high)
        fixed = np.round(points * scale * 2**shift).astype(np.int32)
        cv2.polylines(image, [fixed], False, 255, round(pen * scale), cv2.LINE_AA, shift)
    return image
