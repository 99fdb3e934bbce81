"""The shape that a loss says its inputs have, in docstrings, comments and annotations."""

from __future__ import annotations

import inspect
import io
import re
import tokenize
from typing import Any

_SHAPE = re.compile(r"[\[(]\s*([A-Za-z]\w*(?:\s*[x×*,]\s*[A-Za-z0-9]\w*){1,3})\s*[\])]")
_TYPE = re.compile(r"(?:Float|Tensor|Array)\w*\[\s*\w*\.?Tensor\s*,\s*[\"']([\w ]+)[\"']")
_SHIFTED = re.compile(
    r"\[\s*(\.\.\.|:)\s*,\s*:\s*-1\s*(,\s*:\s*)?\]|[!=]=\s*-100\b|ignore_index\s*=\s*-100"
)
"""A language model: every position but the last, against the label of the next."""
_BATCH = re.compile(r"(b|n|bs|bsz|batch|batch_?size|num_samples)$", re.IGNORECASE)


def dimensions(source: Any) -> int | None:
    """How many dimensions the first documented shape has that starts with a batch; else nothing."""
    try:
        code = inspect.getsource(inspect.unwrap(source))
    except (OSError, TypeError):
        return None
    if _SHIFTED.search(code):
        return 3
    typed = _TYPE.search(code)
    if typed is not None:
        return len(typed[1].split())
    for text in _prose(code):
        for match in _SHAPE.finditer(text):
            names = re.split(r"\s*[x×*,]\s*", match[1].strip())
            if _BATCH.match(names[0]):
                return len(names)
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
