"""From what was said in English to the same in another language, by the catalogue.

Inside, didact speaks English, in plain f-strings; where something is shown, on the command line or
on a page, it is translated as a whole. A text is looked up as it is, then as one with values in it,
and then sentence by sentence; what the catalogue does not have stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from string import Formatter

from didact._core.chinese import catalogue
from didact._core.i18n import Language

_FIELD = "{}"
_VALUE = r"((?:(?!\.\s+[^a-z\s]|; ).)*?)"  # of one sentence
_UNPARTED = re.compile(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9%][\u4e00-\u9fff]")
FEWEST_LETTERS = 6
"""A text with fewer letters of its own takes values without spaces alone, not half a sentence."""
_ENDS = re.compile(r"(?<=[.;:!?])\s+(?=\S)")
_STOPS = str.maketrans({".": "。", ";": "；", ":": "：", "!": "！", "?": "？"})


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One text of the catalogue that has values in it."""

    longest: str
    form: re.Pattern[str]
    chinese: str


def translated(text: str, language: Language) -> str:
    """The text in a language; English is what comes in.

    Example:
        >>> translated("there is no folder runs/a; expected the folder of a run", "zh")
        '没有文件夹 runs/a；应为一次运行的文件夹'
    """
    if language == "en" or not any(character.isalpha() for character in text):
        return text
    return _lines(text)


def _lines(text: str) -> str:
    """Found whole, or line by line, the space at both ends kept."""
    whole = _found(text.strip())
    if whole is not None:
        return _padded(text, whole)
    return "\n".join(_padded(line, _sentences(line.strip())) for line in text.split("\n"))


def _padded(text: str, inner: str) -> str:
    if not (bare := text.strip()):
        return text
    start = text.index(bare)
    return text[:start] + inner + text[start + len(bare) :]


def _sentences(text: str) -> str:
    """The longest sequences of sentences that the catalogue has, one after the other."""
    if (found := _found(text)) is not None:
        return found
    cuts = [0, *(m.end() for m in _ENDS.finditer(text)), len(text)]
    done, start = "", 0
    while start < len(cuts) - 1:
        for end in range(len(cuts) - 1, start, -1):
            part = text[cuts[start] : cuts[end]]
            if (found := _found_with_stop(part.strip())) is not None:
                done, start = done + found, end
                break
        else:
            done, start = done + text[cuts[start] : cuts[start + 1]], start + 1
    return done.rstrip()


def _found_with_stop(text: str) -> str | None:
    """The same where the text has a stop behind it that the catalogue's has not."""
    if (found := _found(text)) is not None:
        return found
    if text and text[-1] in ".;:" and (found := _found(text[:-1])) is not None:
        return found + text[-1].translate(_STOPS)
    return None


@cache
def _found(text: str) -> str | None:
    texts = catalogue()
    if text in texts and _FIELD not in text:
        return texts[text]
    for pattern in _patterns():
        if pattern.longest in text and (match := pattern.form.fullmatch(text)):
            return _filled(pattern.chinese, match.groups())
    if ", " in text:
        parts = [_found(part) for part in text.split(", ")]
        if None not in parts:
            return "，".join(filter(None, parts))
    return None


def _filled(chinese: str, values: tuple[str, ...]) -> str:
    """The values put in; ``!t`` translates one first. A space parts Chinese from Latin."""
    done, counted = "", 0
    for literal, name, _, conversion in Formatter().parse(chinese):
        done = _joined(done, literal)
        if name is not None:
            value = values[int(name) if name else counted]
            counted += not name
            done = _joined(done, _lines(value) if conversion == "t" else value)
    return done


def _joined(before: str, after: str) -> str:
    touching = f"{before[-1:]}{after[:1]}"
    return f"{before} {after}" if _UNPARTED.fullmatch(touching) else before + after


@cache
def _patterns() -> tuple[_Pattern, ...]:
    """The texts with values in them: those around another text, then those with most words."""
    found = [
        (_rank(english, chinese), _pattern(english, chinese))
        for english, chinese in catalogue().items()
        if _FIELD in english
    ]
    return tuple(pattern for _, pattern in sorted(found, key=lambda pair: pair[0]))


def _rank(english: str, chinese: str) -> tuple[bool, int]:
    around = english.count(_FIELD) == 1 and not english.startswith(_FIELD) and "!t" in chinese
    return not around, -len(english.replace(_FIELD, ""))


def _pattern(english: str, chinese: str) -> _Pattern:
    pieces = english.split(_FIELD)
    own_letters = sum(character.isalpha() for character in english)
    form = re.escape(pieces[0])
    for number, piece in enumerate(pieces[1:]):
        if _is_translated(chinese, number):
            form += "(.*?)"
        else:
            is_list = pieces[number].endswith(": ") and not piece  # as of names, with spaces
            form += _VALUE if own_letters >= FEWEST_LETTERS or is_list else r"(\S*?)"
        form += re.escape(piece)
    return _Pattern(max(pieces, key=len), re.compile(form, re.DOTALL), chinese)


def _is_translated(chinese: str, number: int) -> bool:
    fields = [field for field in Formatter().parse(chinese) if field[1] is not None]
    places = [int(name) if name else place for place, (_, name, _, _) in enumerate(fields)]
    return any(at == number and field[3] == "t" for at, field in zip(places, fields, strict=True))
