"""The work of ``didact-plates photo.jpg``: photographs in, answers out."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from didact_plates.finding import Plate
from didact_plates.photographs import Photograph
from didact_plates.texts import say

Answer = dict[str, Any]
COLUMNS = ("file", "frame", "text", "colour", "rows", "confidence",
           "left", "top", "width", "height", "milliseconds")  # fmt: skip


def read_all(
    sources: Sequence[str],
    *,
    form: str,
    draw: Path | None,
    model: Path | None,
    least: float,
    every: int,
    threads: int,
) -> int:
    """Read and print everything; how many photographs could not be read."""
    from didact_plates.drawing import Gallery
    from didact_plates.models import finder
    from didact_plates.photographs import photographs

    gallery = None if draw is None else Gallery(draw, sources)
    find = finder(model, least=least, threads=threads)
    writer: _Text | _Csv | _Json = _Text()
    if form != "text":
        writer = _Csv() if form == "csv" else _Json()
    problems = 0
    try:
        for photograph in photographs(sources, every):
            if photograph.image is None:
                problems += 1
                sys.stderr.write(say("error: {error}", error=photograph.problem) + "\n")
                sys.stderr.flush()
                continue
            start = time.perf_counter()
            plates = find.find(photograph.image)
            milliseconds = 1000 * (time.perf_counter() - start)
            writer.write(answer(photograph, plates, milliseconds))
            if gallery is not None:
                gallery.add(photograph, plates)
    finally:
        writer.close()
    return problems


def answer(photograph: Photograph, plates: Sequence[Plate], milliseconds: float) -> Answer:
    """What was found as plain data; places are in pixels of the file's own picture."""
    assert photograph.image is not None
    scale = photograph.scale
    height, width = photograph.image.shape[:2]
    return {
        "file": _writable(photograph.name),
        **({} if photograph.frame is None else {"frame": photograph.frame}),
        "milliseconds": round(milliseconds, 1),
        "plates": [
            {
                "text": plate.text,
                "colour": plate.colour,
                "rows": plate.rows,
                "confidence": round(plate.confidence, 4),
                "box": [round(value * scale) for value in _inside(plate.box, width, height)],
                "corners": [
                    [round(float(x) * scale, 1), round(float(y) * scale, 1)]
                    for x, y in plate.corners
                ],
            }
            for plate in plates
        ],
    }


def _inside(box: tuple[int, int, int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """The part of a box (left, top, width, height) that is in the picture."""
    left, top = max(box[0], 0), max(box[1], 0)
    right, bottom = min(box[0] + box[2], width), min(box[1] + box[3], height)
    return left, top, max(right - left, 0), max(bottom - top, 0)


class _Text:
    """One line for each plate."""

    def write(self, found: Answer) -> None:
        name = found["file"] + (f"#{found['frame']}" if "frame" in found else "")
        took = say("{milliseconds} ms", milliseconds=f"{found['milliseconds']:.0f}")
        if not found["plates"] and "frame" not in found:
            _print(f"{name}  {say('no plate was found')}  {took}")
        for plate in found["plates"]:
            left, top, width, height = plate["box"]
            place = f"({left}, {top}, {width} x {height})"
            colour = say(plate["colour"])
            _print(f"{name}  {plate['text']}  {colour}  {plate['confidence']:.1%}  {place}  {took}")

    def close(self) -> None:
        pass


class _Csv:
    """One row for each plate, under a head."""

    def __init__(self) -> None:
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def write(self, found: Answer) -> None:
        for plate in found["plates"]:
            self._writer.writerow(
                [found["file"], found.get("frame", ""), plate["text"], plate["colour"],
                 plate["rows"], plate["confidence"], *plate["box"], found["milliseconds"]]
            )  # fmt: skip
        sys.stdout.flush()

    def close(self) -> None:
        pass


class _Json:
    """One list, whole also where reading was stopped."""

    def __init__(self) -> None:
        self._before = "["

    def write(self, found: Answer) -> None:
        _print(f"{self._before}\n {json.dumps(found, ensure_ascii=False)}", end="")
        self._before = ","

    def close(self) -> None:
        _print("[]" if self._before == "[" else "\n]")


def _print(text: str, end: str = "\n") -> None:
    sys.stdout.write(f"{text}{end}")
    sys.stdout.flush()


def _writable(name: str) -> str:
    """A file's name as text: where its bytes are not UTF-8, as GB18030, else with what fits."""
    raw = name.encode("utf-8", "surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            return _printable(raw.decode(encoding))
        except UnicodeDecodeError:
            continue
    return _printable(raw.decode("utf-8", "replace"))


def _printable(text: str) -> str:
    """Without what a terminal would obey instead of showing it."""
    return "".join(c if c.isprintable() or c == " " else "\ufffd" for c in text)
