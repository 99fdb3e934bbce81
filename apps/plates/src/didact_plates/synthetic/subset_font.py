"""Cuts the 38 hanzi of plates out of Noto Sans CJK Bold: ``python subset_font.py NOTO.ttc``.

Needs fontTools; only whoever makes the font file anew runs this.
"""

import sys
from pathlib import Path

from didact_plates.grammar import HANZI

TARGET = Path(__file__).parent / "plate_hanzi.otf"
SIMPLIFIED_CHINESE = "Noto Sans CJK SC"


def main(source: str) -> int:
    """Write ``plate_hanzi.otf``: outlines of the hanzi alone, without hints and layout tables."""
    from fontTools import subset  # type: ignore[import-untyped]
    from fontTools.ttLib import TTCollection  # type: ignore[import-untyped]

    faces = TTCollection(source).fonts
    face = next(font for font in faces if font["name"].getDebugName(1) == SIMPLIFIED_CHINESE)
    options = subset.Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = [0, 1, 2, 13, 14]
    options.notdef_outline = False
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
    cutter = subset.Subsetter(options)
    cutter.populate(text=HANZI)
    cutter.subset(face)
    face.save(TARGET)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
