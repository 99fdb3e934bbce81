"""What one line does, asked by its number or by its code."""

from __future__ import annotations

import re

from didact._core.i18n import Text
from didact.check.explain.answers._code import Code, either, shortened

PLACE = 90
ASKS = either(
    r"what (does|is|happens)\b|mean\b|explain|do(es)?\b.*\bline|why",
    r"干嘛|干什么|做什么|什么意思|是什么|作用|怎么理解|解释|为什么",
)
_NUMBER = re.compile(r"\bline (\d+)|第 ?(\d+) ?行", re.IGNORECASE)
_WITH = re.compile(
    r"\blines? (?:with|containing|that (?:has|contains|says|uses))\s+(?:the\s+)?`?(?P<code>.+?)`?"
    r"(?:\s+(?:in it\s+)?(?:do|does|mean|means|is|for|actually do)\b[^?]*)?\s*[?？]?\s*$"
    r"|(?:带有?|含有?|包含|写着|有)\s*`?(?P<chinese>[!-~][ -~]*?)`?\s*的?(?:那|这)一?行",
    re.IGNORECASE,
)
"""A line by a piece of its code."""
_QUOTED = re.compile(r"`([^`]{4,})`")
_TEXT = Text("Line {line}, `{code}`: {words}", "第 {line} 行 `{code}`：{words}")
_WHAT = either(
    r"what (does|is)|mean\b|explain", r"干嘛|干什么|做什么|什么意思|是什么|作用|怎么理解|解释"
)
_MORE = either(
    r"\bwhy\b|\bif i\b|drop|without|remove|right|correct|wrong|zero|negativ|term\b|need|should"
    r"|differ|instead",
    r"为什么|为何|对吗|错|负|为 ?0|那一?项|后面|前面|需要|区别|不同|正确",
)
"""Questions that ask more than what a line does."""


def answer(question: str, code: Code) -> Text | None:
    """What stands of that line in the explanation line by line."""
    if not _WHAT.search(question) or _MORE.search(question):
        return None
    number = _NUMBER.search(question)
    if number is not None:
        wanted = int(number[1] or number[2])
        found = [x for x in code.lines if x[0] == wanted]
        return _said(found[0]) if len(found) == 1 else None
    held = _WITH.search(question)
    if held is not None:
        piece = re.sub(r"\s|`", "", held["code"] or held["chinese"])
        found = [x for x in code.lines if _holds(x[1], piece) and x[2].en]
        return _said(found[0]) if len(found) == 1 else None
    for quoted in _QUOTED.findall(question):
        plain = re.sub(r"\s", "", quoted)
        holding = [x for x in code.lines if plain in re.sub(r"\s", "", x[1])]
        most = holding and 2 * len(plain) > len(re.sub(r"\s", "", holding[0][1]))
        if most and len(plain) > 3:
            return _said(holding[0])
    bare = re.sub(r"\s", "", question)
    for statement in code.lines:
        plain = re.sub(r"\s", "", statement[1])
        if len(plain) > 12 and plain in bare:
            return _said(statement)
    return None


def _holds(statement: str, piece: str) -> bool:
    """Whether a piece of code stands in a statement, a name as a whole name."""
    plain = re.sub(r"\s", "", statement)
    if not piece.isidentifier():
        return len(piece) > 1 and piece in plain
    return re.search(rf"(?<!\w){piece}(?!\w)", statement) is not None


def _said(found: tuple[int, str, Text]) -> Text:
    line, code, words = found
    return _TEXT.format(line=line, code=shortened(code), words=words)
