"""From bytes to text: UTF-8, UTF-16, UTF-32, GB18030; what is no text is refused."""

from __future__ import annotations

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x01-\x07\x0e-\x1a\x1c-\x1f]")
_CONTROL_SHARE = 0.02
"""More control characters than this are no text; a terminal's output has a few."""

_HANZI = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")


class BinaryError(ValueError):
    """Bytes that are no text."""


def decode(data: bytes) -> str:
    """The text that the bytes hold, whatever usual encoding a browser or an editor gave them.

    A byte-order mark decides; without one the first of UTF-8, UTF-16, GB18030 that fits, and
    Windows-1252 where the bytes are no Chinese.

    Raises:
        BinaryError: The bytes are no text (an image, an archive, a checkpoint).
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(data.decode(encoding, "replace"))
    if b"\0" in data:
        return _checked(_wide(data))
    try:
        return _checked(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    beyond = sum(len(run) for run in _BEYOND_ASCII.findall(data))
    if 2 * len(_HANZI.findall(data)) > beyond / 2:
        return _checked(data.decode("gb18030", "replace"))
    return _checked(data.decode("cp1252", "replace"))


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: every second byte of ASCII is zero."""
    zeros = data[0::2].count(0), data[1::2].count(0)
    if 2 * data.count(0) > len(data) * 1.2 or min(zeros) > max(zeros) / 10:
        raise BinaryError
    encoding = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise BinaryError from None


def _checked(text: str) -> str:
    bad = len(_CONTROL.findall(text)) + text.count("\0") + text.count("\ufffd")
    if bad > max(_CONTROL_SHARE * len(text), 3 if len(text) > 20 else 0):
        raise BinaryError
    return text
