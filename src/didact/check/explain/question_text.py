"""Where a paste asks something: its sentences, and the questions within one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from didact.check.explain.causes import message_in
from didact.check.snippet.characters import without_html
from didact.check.snippet.intact import is_words

_ENDS = re.compile(r"(?<=[?？。!！])(?!(?<=!)=)|\n|[#＃]|(?=[①②③④⑤⑥⑦⑧⑨])")
_CHINESE = re.compile(
    r"为什么|为何|为啥|怎么|咋|怎样|是否|是不是|吗|呢|什么|想问|不懂|不明白|搞不懂|疑惑|求教"
    r"|求解|求助|求大佬|求看|报错|求解释|求问|请问|请解释|请教|解释一下|逐行|哪里|哪儿|哪位|多少"
    r"|如何|指点|越来越|一直|带偏|对不上|上不去|正常|行不行|对不对|要不要|能不能|可不可以"
    r"|需不需要|会不会|请帮|帮忙|看看|看下|看一下|有没有|变差|不收敛|不下降|不起作用"
    r"|请检查|检查一下|[Bb]ug|怪怪的"
)
_ENGLISH = re.compile(
    r"\b(why|what|how|explain|is (it|this|anything)|does|do i|should|can (i|someone)|line by line"
    r"|never|worse|stuck|nan|negative|wrong|help|expected|tiny|noisy|collapses?|forgets?"
    r"|exactly like|won'?t|doesn'?t|isn'?t|can'?t|any idea|plateaus?|garbage|no effect"
    r"|(does|changes) nothing|is off|too (small|large)|explodes?|diverges?)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"^\s*(import|from|def|class|return|for|if|with|elif|else|try|print)\b"
    r"|^\s*[\w.\[\], ]+ [-+*/]?= "
    r"|^\s*[\w.]+\(.*\)\s*$"
)
_AFTER_CODE = re.compile(r"(?:[)\]'\"]\s*|\w\s+)([\u4e00-\u9fff][\u4e00-\u9fff，、：\w ]*[？?]?)$")
"""Words behind the code of a line."""
_QUESTION_AFTER_CODE = re.compile(
    r"\s([\u4e00-\u9fff][^\n]{2,80}[？?])$"
    r"|[.;]\s+((?:Why|What|How|Is|Are|Does|Do|Should|Can)\b[^.]*(?:\.\w[^.]*)*\?)$"
)
"""A question with code in it, behind the code of a line."""
_CODE_AFTER = re.compile(
    r"\s+(?:def \w+\s*\(|class \w+\s*[(:]|import \w+|from [\w.]+ import |with torch\."
    r"|for [\w, ()]+ in \w+[\w.()]*\s*:|[\w.]+ = [\w.]+[(\[]).*$"
)
"""Code behind a sentence, where the newlines are lost."""
_CHAT = re.compile(r"^\[[\d/: .-]+\]\s*(?:\w{1,16}\s*[:：]\s*)?")
"""Time and name before a message of a chat."""
_EMPHASIS = re.compile(r"(?<!\w)\*\*(?=\S)|(?<=\S)\*\*(?!\w)")
"""Markdown's bold; the power of ``T**2`` is none."""
_FURNITURE = re.compile(
    r"\b(?:article|answer|page|post|comment|documentation) (?:helpful|useful)\b|\bhelpful\s*\?"
    r"|did you find (?:this|it) (?:helpful|useful)|sign up|log in to|please log in|subscribe"
    r"|(?:was|is) this (?:page|article|post|answer)|forgot your password|want to reply"
    r"|not the answer you.re looking|add a comment|related (?:questions|articles|posts)|see also"
    r"|(?:有(?:帮助|用)|满意)[吗么]|是否(?:有帮助|解决了你)|你可能(?:还)?感兴趣|猜你喜欢"
    r"|相关(?:问题|推荐|阅读|文章)|登录后",
    re.IGNORECASE,
)
"""What a page asks of its reader, and nobody of the code."""
_NUMBER = re.compile(r"^(?:.{0,12}[:：]\s*)?(?:[①-⑨]|[(（]?\d[)）、．]|\d\.\s)\s*")
"""The number of a question, and what introduces it."""
_AND_ALSO = re.compile(
    r"[,;]?\s+(?:and|or|also|plus)\s+(?:also\s+)?"
    r"(?=(?:why|what|how|is|are|does|do|should|can|could|which|where|will|would)\b)"
    r"|[,;–—]\s+(?=(?:why|how|should i|do i|can i|isn't|aren't)\b)",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    r"\b(?:why|what|how|which|where|is|are|does|do|did|should|can|could|will|would)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"(?<=[\u4e00-\u9fff\w)）`])\s*[，,；;/]\s*(?=[^\d\s])")
_ASKS = re.compile(
    r"为什么|为何|为啥|吗|呢$|怎么|咋|如何|哪|什么|啥|要不要|是不是|对不对|能不能|行不行"
    r"|有没有|会不会|需不需要|多少"
)
_GOES_ON = re.compile(r"^(?:还是|而不是|或者?是)")
_ONLY_ASKS = re.compile(
    r"^(?:该|要|应该?|是|这)?(?:怎么|咋|如何|哪里|哪儿|什么原因|为什么|为啥|求解).{0,6}$"
    r"|^(?:要|该|应该)?改(?:哪里|哪儿|什么)$"
)
"""A clause that asks what to do about the one before it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One sentence that asks.

    Attributes:
        text: The sentence as it was written.
        parts: The questions in it, one or more.
    """

    text: str
    parts: tuple[str, ...]


def questions_in(text: str) -> list[str]:
    """The sentences of a paste that ask or complain, those that end in a question mark first."""
    marked: list[str] = []
    others: list[str] = []
    for piece in _ENDS.split(without_html(text)):
        line = " ".join(piece.split()).strip(" /*-\"'<>")
        line = _EMPHASIS.sub("", line)
        line = _CHAT.sub("", line)
        if _CODE.search(line) and not (line.isascii() and is_words(line)):
            tail = _QUESTION_AFTER_CODE.search(line) or _AFTER_CODE.search(line)
            line = next(filter(None, tail.groups()), "") if tail is not None else ""
        line = _CODE_AFTER.sub("", line)
        if not 4 < len(line) < 400 or message_in(line) == line or _FURNITURE.search(line):
            continue
        cjk = any("\u4e00" <= c <= "\u9fff" for c in line)
        asks = bool((_CHINESE if cjk else _ENGLISH).search(line))
        ends = line.endswith(("?", "？"))
        goes_on = ends and line.lower().startswith(("and ", "or "))
        short = not cjk and len(line.split()) < (2 if ends and (asks or goes_on) else 3)
        if not (asks or ends) or short:
            continue
        (marked if ends else others).append(line)
    found = list(dict.fromkeys([*marked, *others]))
    return [f for f in found if not _COMMENT.search(f)] or found


_COMMENT = re.compile(r"^(?:Comment|Reply|Answer|评论|回复|网友)[ \w]{0,20}[:：]", re.IGNORECASE)
"""What others wrote below: asked only where the author asks nothing."""


def question_in(text: str) -> str | None:
    """The sentence of a paste that asks something, or complains of something."""
    found = questions_in(text)
    return found[0] if found else None


_ASKS_PLAINLY = re.compile(
    r"为什么|为何|为啥|吗$|怎么|咋|如何|要不要|是不是|对不对|能不能|行不行|有没有|会不会|需不需要"
    r"|(?:是|有|会|叫|干|做)(?:什么|啥)"
    r"|^(?:so |and |also |but |hi,? )*(?:why|what|how|is|are|does|do|should|can|which)\b",
    re.IGNORECASE,
)


def is_question(sentence: str) -> bool:
    """Whether it asks, and does not only complain; many leave the question mark out."""
    bare = sentence.rstrip(" 。.!！：:")
    return bare.endswith(("?", "？")) or _ASKS_PLAINLY.search(bare) is not None


def asked_in(text: str) -> list[Asked]:
    """The sentences that ask, each with the questions in it."""
    return [Asked(sentence, tuple(parts_of(sentence))) for sentence in questions_in(text)]


def parts_of(sentence: str) -> list[str]:
    """The questions that one sentence asks."""
    sentence = _NUMBER.sub("", sentence)
    if any("\u4e00" <= c <= "\u9fff" for c in sentence):
        return _clauses(sentence)
    parts = [sentence]
    for split in _AND_ALSO.finditer(sentence):
        rest = sentence[split.end() :]
        before = parts[-1][: len(parts[-1]) - len(rest) - len(split[0])]
        if _BEGINS.search(before) and len(before.split()) > 1 and len(rest.split()) > 2:
            parts[-1:] = [before, rest]
    return parts


def _clauses(sentence: str) -> list[str]:
    parts: list[str] = []
    lead = ""
    for clause, separator in _outside_brackets(sentence):
        bare = clause.strip(" ?？。!！")
        asks = _ASKS.search(bare) is not None
        if parts and (_GOES_ON.search(bare) or _ONLY_ASKS.search(bare)) and not lead:
            parts[-1] += f"，{clause}"
        elif asks:
            parts.append(f"{lead}{clause}")
            lead = ""
        else:
            lead += f"{clause}{separator}"
    if lead and parts:
        parts[-1] += f"，{lead}".rstrip("，,；;、/ ")
    return parts or [sentence]


def _outside_brackets(sentence: str) -> list[tuple[str, str]]:
    """The clauses of a sentence, each with what stands behind it; brackets are kept whole."""
    clauses: list[tuple[str, str]] = []
    begin = 0
    for split in _CLAUSE.finditer(sentence):
        before = sentence[begin : split.start()]
        if before.count("(") > before.count(")"):
            continue
        clauses.append((before, split[0]))
        begin = split.end()
    return [*clauses, (sentence[begin:], "")]
