"""Text of strangers and of file systems, made fit to be shown and to be written."""

from __future__ import annotations

import re

# All control characters but tab and newline, and the marks that turn the direction of writing.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """Without what a terminal would obey instead of showing it."""
    return writable(_CONTROL.sub("\ufffd", text))


def writable(text: str) -> str:
    """Text that can be written as UTF-8: what stood for a byte of another encoding is marked."""
    return _SURROGATE.sub("\ufffd", text)


def is_unicode(text: str) -> bool:
    """Whether the text can be written as UTF-8: a file's name may be bytes of another encoding."""
    return _SURROGATE.search(text) is None


def file_name(name: str) -> str:
    """A file's name as text: where its bytes are not UTF-8, as GB18030, else with what fits."""
    if is_unicode(name):
        return name
    raw = name.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")
