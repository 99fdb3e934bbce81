"""The shape that a loss says its inputs have, in docstrings, comments and annotations."""

from __future__ import annotations

import inspect
import io
import re
import tokenize
from functools import lru_cache
from typing import Any

from didact.probe.binding.written import ranks
from didact.probe.inputs.inputs import Layout

_SHAPE = re.compile(r"[\[(]\s*([A-Za-z]\w*(?:\s*[x×*,]\s*[A-Za-z0-9]\w*){1,4})\s*[\])]")
_TYPE = re.compile(r"(?:Float|Tensor|Array)\w*\[\s*\w*\.?Tensor\s*,\s*[\"']([\w ]+)[\"']")
_SHIFTED = re.compile(
    r"\[\s*(\.\.\.|:)\s*,\s*:\s*-1\s*(,\s*:\s*)?\]|[!=]=\s*-100\b|ignore_index\s*=\s*-100"
)
"""A language model: every position but the last, against the label of the next."""
_BATCH = re.compile(r"(b|n|bs|bsz|batch|batch_?size|num_samples)$", re.IGNORECASE)


_CLASSES = re.compile(r"(c|k|v|classes|n_?classes|num_classes|vocab(_?size)?)$", re.IGNORECASE)


def documented_layout(source: Any, *, features: bool = False) -> Layout | None:
    """The layout of the first documented shape that names a batch; nothing, where none does."""
    names = _dimensions(source)
    if names is None:
        return None
    if features:
        return _FEATURES.get(len(names))
    if len(names) == 3 and _CLASSES.match(names[0]):
        return "vocabulary_first"
    if len(names) == 3 and _CLASSES.match(names[1]) and not _CLASSES.match(names[2]):
        return "channels_first"
    return _LOGITS.get(len(names))


@lru_cache(maxsize=256)
def teachers_axis(source: Any, name: str) -> int | None:
    """Where the teachers stand in the shape of a parameter that holds all of theirs.

    By its documented shape; before the classes, where the code takes one dimension more of it than
    of anything else.
    """
    taken = ranks(source)
    others = [count for other, count in taken.items() if other != name and count > 1]
    if others and taken.get(name, 0) == max(others) + 1 == _OF_TEACHERS:
        return -2
    try:
        prose = "\n".join(_prose(inspect.getsource(inspect.unwrap(source))))
    except (OSError, TypeError):
        return None
    for line in prose.splitlines():
        said = _SHAPE.search(line) if re.search(rf"\b{re.escape(name)}\b", line) else None
        names = re.split(r"\s*[x×*,]\s*", said[1]) if said else []
        for place, each in enumerate(names):
            if "teachers" in each.lower():
                return place
    return None


_OF_TEACHERS = 4
"""Dimensions of the logits of several teachers of sequences."""
_FEATURES: dict[int, Layout] = {2: "vectors", 3: "tokens", 4: "maps"}
_LOGITS: dict[int, Layout] = {3: "sequence", 4: "dense", 5: "volumes"}


def _dimensions(source: Any) -> list[str] | None:
    """The names of the dimensions."""
    try:
        code = inspect.getsource(inspect.unwrap(source))
    except (OSError, TypeError):
        return None
    said = _said(code)
    if _SHIFTED.search(code) and (said is None or len(said) < 4):
        return ["batch", "positions", "classes"]
    return said


def _said(code: str) -> list[str] | None:
    """The names of the first shape that an annotation, a docstring or a comment has."""
    typed = _TYPE.search(code)
    if typed is not None:
        return typed[1].split()
    for text in _prose(code):
        for match in _SHAPE.finditer(text):
            names = re.split(r"\s*[x×*,]\s*", match[1].strip())
            if _BATCH.match(names[0]) or (_CLASSES.match(names[0]) and _BATCH.match(names[1])):
                return names
    return None


def _prose(code: str) -> list[str]:
    """The comments and the texts that stand as statements."""
    found: list[str] = []
    before = tokenize.NEWLINE
    try:
        for token in tokenize.generate_tokens(io.StringIO(inspect.cleandoc(code)).readline):
            alone = before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.NL, tokenize.DEDENT)
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and alone):
                found.append(token.string)
            before = token.type
    except (tokenize.TokenError, SyntaxError):
        pass
    return found
