"""Pictures out of a run folder, which may be any text."""

from __future__ import annotations

import base64
import binascii

_PNG = b"\x89PNG\r\n\x1a\n"


def is_png(text: str) -> bool:
    """Whether a text is a PNG file in base64 and nothing else."""
    try:
        return base64.b64decode(text, validate=True).startswith(_PNG)
    except (binascii.Error, ValueError):
        return False
