"""What a web page or an input method does to the characters of code."""

from __future__ import annotations

import html
import re

_WIDE = {
    "，": ",", "：": ":", "；": ";", "（": "(", "）": ")", "［": "[", "］": "]", "【": "[",
    "】": "]", "｛": "{", "｝": "}", "＝": "=", "＋": "+", "－": "-", "＊": "*", "／": "/",
    "＜": "<", "＞": ">", "．": ".", "。": ".", "、": ",", "＃": "#", "＠": "@", "％": "%",
    "＆": "&", "｜": "|", "＿": "_", "！": "!", "～": "~", "−": "-", "–": "-", "×": "*",
    "÷": "/", "“": '"', "”": '"', "„": '"', "＂": '"', "‘": "'", "’": "'", "＇": "'", "′": "'",
}  # fmt: skip
_WIDE |= {chr(0xFF10 + i): str(i) for i in range(10)}
_WIDE |= {chr(0xFF21 + i): chr(65 + i) for i in range(26)}
_WIDE |= {chr(0xFF41 + i): chr(97 + i) for i in range(26)}
_TO_ASCII = str.maketrans(_WIDE)

_SPACES = dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000\u2002\u2003\u2009\u2007"), " ")
_NOTHING = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\x00"), None)
_INVISIBLE = str.maketrans({**{chr(k): v for k, v in _SPACES.items()}, "\u2028": "\n"})

_FULL_STOP = re.compile(r"。(?![A-Za-z_])|(?<![A-Za-z0-9_)\]])。")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|nbsp|#\d{1,5}|#x[0-9a-fA-F]{1,4});")
_LINE_TAG = re.compile(r"<br\s*/?>|</(?:p|div|li|tr|pre|h[1-6])>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:span|div|p|pre|code|font|b|i|em|strong|a|li|ul|ol|td|tr|table|tbody|h[1-6]|img)"
    r"(?:\s+[\w-]+\s*=\s*(?:\"[^\"\n]*\"|'[^'\n]*'))*\s*/?>",
    re.IGNORECASE,
)


def plain_lines(text: str) -> str:
    r"""Line ends as ``\n``, no byte-order mark, no lone surrogates, no form feeds."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")
    return text.removeprefix("\ufeff").encode("utf-8", "replace").decode("utf-8")


def visible(text: str) -> str:
    """Odd spaces become spaces; characters of no width and control characters go."""
    return _CONTROL.sub("", text.translate(_INVISIBLE).translate(_NOTHING))


def without_html(text: str) -> str:
    """Entities become characters; the tags that a copied page leaves go."""
    for _ in range(2):  # a page that shows markup has escaped it once more
        text = _TAG.sub("", _LINE_TAG.sub("\n", text))
        text = html.unescape(text) if _ENTITY.search(text) else text
    return text


def to_ascii(text: str) -> str:
    """Full-width and curly punctuation as ASCII, character by character, so offsets stay.

    A full stop that no name follows ends a statement.
    """
    return _FULL_STOP.sub(";", text).translate(_TO_ASCII)


def is_cjk(character: str) -> bool:
    """Whether the character is Chinese, Japanese or Korean writing or its punctuation."""
    code = ord(character)
    return 0x2E80 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7FF or 0xF900 <= code <= 0xFFEF
