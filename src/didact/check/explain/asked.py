"""The question that stands in a paste, and its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from didact._core.i18n import Text
from didact.check.explain.formula.judge import Loss
from didact.check.explain.questions import Question
from didact.check.explain.summary import Verdict
from didact.check.explain.words import asking
from didact.check.findings.finding import Finding

_ENDS = re.compile(r"(?<=[?？。!！])|\n|[#＃]")
_CHINESE = re.compile(
    r"为什么|为何|怎么|怎样|是否|是不是|吗|呢|什么|求解释|求问|请问|请解释|请教|解释一下|逐行|哪里|哪儿|多少"
    r"|如何|正常|行不行|对不对|要不要|能不能|可不可以|需不需要|会不会|请帮|变差|不收敛|不下降|不起作用"
)
_ENGLISH = re.compile(
    r"\b(why|what|how|explain|is (it|this|anything)|does|do i|should|can (i|someone)|line by line"
    r"|never|worse|stuck|nan|negative|wrong|help)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"^\s*(import|from|def|class|return|for|if|with|elif|else|try|print)\b"
    r"|^\s*[\w.\[\], ]+ [-+*/]?= "
    r"|^\s*[\w.]+\(.*\)\s*$"
)
_AFTER_CODE = re.compile(r"[)\]'\"]\s*([\u4e00-\u9fff][\u4e00-\u9fff，、：\w ]*[？?]?)$")
"""Words behind the code of a line."""


def question_in(text: str) -> str | None:
    """The sentence of a paste that asks something, or complains of something."""
    best: tuple[int, str] | None = None
    for piece in _ENDS.split(text):
        line = " ".join(piece.split()).strip(" /*-\"'>")
        if _CODE.search(line):
            tail = _AFTER_CODE.search(line)
            line = tail[1] if tail is not None else ""
        if not 4 < len(line) < 400:
            continue
        cjk = any("\u4e00" <= c <= "\u9fff" for c in line)
        asks = bool((_CHINESE if cjk else _ENGLISH).search(line))
        marked = line.endswith(("?", "？"))
        words = len(line.split())
        if not (asks or marked) or (not cjk and words < 3):
            continue
        rank = 2 if marked else 1
        if best is None or rank > best[0]:
            best = (rank, line)
    return best[1] if best is not None else None


def answer_to(
    text: str, findings: Sequence[Finding], kinds: frozenset[str], verdict: Verdict,
    summary: Sequence[Text], losses: Sequence[Loss] = (),
) -> Question | None:  # fmt: skip
    """The question that the reader asked, with the answer that fits this code."""
    question = question_in(text)
    if question is None:
        return None
    shown = question[-160:].strip()
    kinds = kinds | _by_formula(verdict, losses)
    for pattern, needed, answer in asking.ASKED:
        if pattern.search(question) and (not needed or needed & kinds):
            return Question(Text(shown, shown), answer)
    told = _told(findings, verdict, summary)
    return Question(Text(shown, shown), told) if told is not None else None


def _by_formula(verdict: Verdict, losses: Sequence[Loss]) -> frozenset[str]:
    """What the formula tells that is no mistake, but answers a question."""
    keys = {t.definition.key for loss in losses for t in loss.terms if t.definition is not None}
    found = {f"={key}" for key in keys}
    if verdict.outcome in {"equal", "unknown"}:
        found.add("=sound")
    return frozenset(found)


def _told(findings: Sequence[Finding], verdict: Verdict, summary: Sequence[Text]) -> Text | None:
    """Where no special answer fits: the worst finding, else what the loss is."""
    serious = [f for f in findings if str(f.severity) != "info"]
    if serious:
        return serious[0].message
    if verdict.outcome in {"equal", "departs"}:
        lines = list(summary)[:2]
        return Text(" ".join(s.en for s in lines), "".join(s.zh for s in lines))
    return asking.NOT_KNOWN
