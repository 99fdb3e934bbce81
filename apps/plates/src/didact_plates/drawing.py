"""Photographs with their plates drawn in, and the folder that they are written into."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from didact_plates.errors import PlatesError
from didact_plates.finding import Plate
from didact_plates.locate import Image
from didact_plates.photographs import FILMS, PICTURES, Photograph
from didact_plates.texts import say

HANZI_FONT = Path(__file__).parent / "synthetic" / "plate_hanzi.otf"
LINE = (255, 64, 32)


def drawn(image: Image, plates: Sequence[Plate]) -> PillowImage.Image:
    """A photograph with the outline and the text of each plate."""
    picture = PillowImage.fromarray(np.ascontiguousarray(image[:, :, ::-1]))
    pen = ImageDraw.Draw(picture)
    thickness = max(round(max(picture.size) / 400), 2)
    for plate in plates:
        corners = [(float(x), float(y)) for x, y in plate.corners]
        pen.line([*corners, corners[0], corners[1]], fill=LINE, width=thickness, joint="curve")
        height = int(np.clip(plate.box[3] * 0.6, 14, 80))
        left, top, _, below = *plate.box[:2], None, plate.box[3]
        where = (left, top - height * 1.35) if top > height * 1.4 else (left, top + below + 2)
        _label(pen, where, plate.text, height, picture.width)
    return picture


def _label(
    pen: ImageDraw.ImageDraw, where: tuple[float, float], text: str, height: int, wide: int
) -> None:
    """A text on a dark ground: the font of the plates has the hanzi, Pillow's own the rest."""
    pieces = [(character, _font(height, character > "\u2e80")) for character in text]
    widths = [font.getlength(character) for character, font in pieces]
    x, y = max(min(where[0], wide - sum(widths) - height * 0.4), 0), where[1]
    pen.rectangle((x, y, x + sum(widths) + height * 0.4, y + height * 1.3), fill=(20, 20, 20))
    x += height * 0.2
    for (character, font), width in zip(pieces, widths, strict=True):
        pen.text((x, y + height * 1.1), character, font=font, fill="white", anchor="ls")
        x += width


@cache
def _font(height: int, hanzi: bool) -> ImageFont.FreeTypeFont:
    if hanzi:
        return ImageFont.truetype(str(HANZI_FONT), height)
    font = ImageFont.load_default(height)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


class Gallery:
    """A folder of drawn photographs, named as they are.

    Args:
        folder: Where they are written to; made if it is not there.
        sources: What is read, so that nothing of it is written over.

    Raises:
        PlatesError: The folder is a file, or one of those that are read.
    """

    def __init__(self, folder: Path, sources: Sequence[str]) -> None:
        if folder.exists() and not folder.is_dir():
            raise PlatesError(say("--draw {folder} is a file; expected a folder", folder=folder))
        self.folder = folder
        self._sources = [Path(source) for source in sources if Path(source).is_dir()]
        for source in sources:
            path = Path(source)
            read = path if path.is_dir() else path.parent
            if path.exists() and folder.exists() and folder.samefile(read):
                raise PlatesError(
                    say("--draw {folder} has photographs that are read; name another folder",
                        folder=folder)
                )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self._names: set[Path] = set()

    def add(self, photograph: Photograph, plates: Sequence[Plate]) -> None:
        """Write one photograph."""
        assert photograph.image is not None
        path = self.folder / self._name(photograph)
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn(photograph.image, plates).save(path, quality=92)

    def _name(self, photograph: Photograph) -> Path:
        """The name below the folder; a number behind it where two photographs have the same."""
        path = Path(photograph.name)
        inside = next((path.relative_to(s) for s in self._sources if path.is_relative_to(s)), None)
        name = inside or Path(path.name)
        suffix = path.suffix.lower()
        if photograph.frame is not None:
            stem = name.stem if suffix in FILMS else name.name.replace(" ", "-")
            name = name.with_name(f"{stem}-{photograph.frame:06}.jpg")
        elif suffix not in PICTURES:
            name = name.with_name(f"{name.name}.png")
        found, number = name, 1
        while found in self._names:
            number += 1
            found = name.with_name(f"{name.stem}-{number}{name.suffix}")
        self._names.add(found)
        return found
