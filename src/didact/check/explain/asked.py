"""The question that stands in a paste, and its answer."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from didact._core.i18n import Text
from didact.check.explain.answers import Code, answer_from_code
from didact.check.explain.causes import facts_of, meaning_of, message_in, where
from didact.check.explain.correct import kinds_of
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.formula.tree import Constant
from didact.check.explain.naming import called
from didact.check.explain.questions import Question
from didact.check.explain.summary import Verdict
from didact.check.explain.words import answers_direct as direct
from didact.check.explain.words import asking, errors
from didact.check.explain.words.answers import NEGATIVE_KL
from didact.check.findings.finding import Finding
from didact.check.rules import RULES
from didact.check.snippet.characters import without_html
from didact.check.snippet.intact import is_words

_ENDS = re.compile(r"(?<=[?？。!！])|\n|[#＃]")
_CHINESE = re.compile(
    r"为什么|为何|怎么|怎样|是否|是不是|吗|呢|什么|想问|不懂|不明白|搞不懂|疑惑|求教|求解|求助|报错|求解释|求问|请问|请解释|请教|解释一下|逐行|哪里|哪儿|多少"
    r"|如何|指点|越来越|一直|带偏|对不上|上不去|正常|行不行|对不对|要不要|能不能|可不可以|需不需要|会不会|请帮|帮忙|看看|看下|看一下|有没有|变差|不收敛|不下降|不起作用"
)
_ENGLISH = re.compile(
    r"\b(why|what|how|explain|is (it|this|anything)|does|do i|should|can (i|someone)|line by line"
    r"|never|worse|stuck|nan|negative|wrong|help|expected|tiny|noisy|collapses?|forgets?"
    r"|exactly like|won'?t|doesn'?t|isn'?t|can'?t|any idea)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"^\s*(import|from|def|class|return|for|if|with|elif|else|try|print)\b"
    r"|^\s*[\w.\[\], ]+ [-+*/]?= "
    r"|^\s*[\w.]+\(.*\)\s*$"
)
_AFTER_CODE = re.compile(r"(?:[)\]'\"]\s*|\w\s+)([\u4e00-\u9fff][\u4e00-\u9fff，、：\w ]*[？?]?)$")
"""Words behind the code of a line."""
_QUESTION_AFTER_CODE = re.compile(r"\s([\u4e00-\u9fff][^\n]{2,80}[？?])$")
"""A Chinese question with code in it, behind the code of a line."""
_ABOUT = re.compile(
    r"(?:^|[^\w.])`?([A-Za-z_][\w.]*)`?\s*(?:这个|这一?行|变量|到底|又|究竟)*\s*"
    r"(?:是什么|是啥|什么意思|是干什么|是做什么|起什么作用|有什么用|指什么)"
    r"|\bwhat(?:'s| is| does)\s+`?([A-Za-z_][\w.]*)`?\s*(?:mean|do|for|here|\?|$)",
    re.IGNORECASE,
)
"""A question about one name of the code."""


_MOST_FURTHER = 2
"""Further questions that are answered beside the first."""

_MOST_TOLD = 3
"""Mistakes that answer what is wrong."""
_LONGEST = 160
_CHAT = re.compile(r"^\[[\d/: .-]+\]\s*(?:\w{1,16}\s*[:：]\s*)?")
"""Time and name before a message of a chat."""


def questions_in(text: str) -> list[str]:
    """The sentences of a paste that ask or complain, those that end in a question mark first."""
    marked: list[str] = []
    others: list[str] = []
    for piece in _ENDS.split(without_html(text)):
        line = " ".join(piece.split()).strip(" /*-\"'<>").replace("**", "")
        line = _CHAT.sub("", line)
        if _CODE.search(line) and not (line.isascii() and is_words(line)):
            tail = _QUESTION_AFTER_CODE.search(line) or _AFTER_CODE.search(line)
            line = tail[1] if tail is not None else ""
        if not 4 < len(line) < 400 or message_in(line) == line:
            continue
        cjk = any("\u4e00" <= c <= "\u9fff" for c in line)
        asks = bool((_CHINESE if cjk else _ENGLISH).search(line))
        ends = line.endswith(("?", "？"))
        short = not cjk and len(line.split()) < (2 if ends and asks else 3)
        if not (asks or ends) or short:
            continue
        (marked if ends else others).append(line)
    return list(dict.fromkeys([*marked, *others]))


def question_in(text: str) -> str | None:
    """The sentence of a paste that asks something, or complains of something."""
    found = questions_in(text)
    return found[0] if found else None


def answer_to(
    text: str, findings: Sequence[Finding], kinds: frozenset[str], verdict: Verdict,
    summary: Sequence[Text], losses: Sequence[Loss], tree: ast.Module,
    lines: Sequence[tuple[int, str, Text]] = (), corrected: Sequence[Loss] = (),
    depends: Text | None = None, code: Code | None = None,
) -> Question | None:  # fmt: skip
    """What the reader asked, with the answer that fits this code.

    An error message is a part of the question and answered first. Where nothing is known that
    answers, the answer says so. ``depends`` says on which value that is not shown it depends
    whether the code is right: then the answer is not yes. ``code`` is asked for what it proves.
    """
    asked, message = questions_in(text), message_in(text)
    if not asked and message is None:
        return None
    facts = kinds | _by_formula(verdict, [*losses, *corrected]) | facts_of(tree)
    facts |= {"=no error"} if message is None else frozenset()
    known = _Known(findings, facts, verdict, summary, tree, lines)
    known.losses, known.depends, known.code = losses, depends, code
    parts: list[Text] = []
    causes = [f.message for f in findings if f.code == "KE142"]
    if message is not None and causes:
        parts.append(direct.CAUSE.format(message=Text(
            causes[0].en.rstrip(". "), causes[0].zh.rstrip("。 ")
        )))  # fmt: skip
    elif message is not None and "HEAD-MISMATCH" not in kinds:
        meaning = meaning_of(message, tree)
        parts.append(meaning or errors.UNKNOWN.format(message=message[:_LONGEST]))
    heads = [f.message for f in findings if f.code == "KE111"]
    if message is not None and heads:
        parts.append(heads[0])
    first = asked[0] if asked else (message or "")[:_LONGEST]
    said = known.special(first, alone=not parts) or known.general(first, alone=not parts)
    repeats = bool(parts) and said in asking.ON_MEMORY
    if said is not None and asked and not repeats:
        parts.append(said)
    elif not parts:
        parts.append(asking.NOT_ANSWERED.format(question=_short(first)))
    for further in [q for q in asked[1:] if q.endswith(("?", "？"))][:_MOST_FURTHER]:
        other = known.special(further, alone=False)
        if other is not None and all(other.en != part.en for part in parts):
            parts.append(asking.FURTHER.format(question=_short(further), answer=other))
    answer = Text(" ".join(p.en.strip() for p in parts), "".join(p.zh.strip() for p in parts))
    return Question(Text(_short(first), _short(first)), answer)


def _short(question: str) -> str:
    return question[-_LONGEST:].strip()


class _Known:
    """What there is to answer with."""

    def __init__(
        self, findings: Sequence[Finding], facts: frozenset[str], verdict: Verdict,
        summary: Sequence[Text], tree: ast.Module, lines: Sequence[tuple[int, str, Text]] = (),
    ) -> None:  # fmt: skip
        self.lines = lines
        self.losses: Sequence[Loss] = ()
        self.depends: Text | None = None
        self.code: Code | None = None
        self.findings, self.verdict = findings, verdict
        self.summary, self.tree, self.source = summary, tree, ast.unparse(tree)
        self.torch = _OTHER.search(self.source) is None
        self.facts = facts if self._serious() else facts | {"=clean"}

    def special(self, question: str, *, alone: bool = True) -> Text | None:
        """The answer to this very question, where its words and the code fit one.

        ``alone`` where nothing was said before: then a mistake may be the answer to a complaint.
        """
        if asking.LINE_BY_LINE.search(question):
            return None
        proved = answer_from_code(question, self.code) if self.code is not None else None
        if proved is not None:
            return proved
        if (about := self._about(question)) is not None:
            return about
        if (straight := self._straight(question)) is not None:
            return straight
        if (square := self._square(question)) is not None:
            return square
        diagnosis = alone and (asking.DIAGNOSIS.search(question) or asking.STUCK.search(question))
        for pattern, needed, answer in asking.ASKED:
            if pattern.pattern.startswith(".") and not diagnosis:
                continue
            if not self.torch and answer in asking.TORCH_ALONE:
                continue
            if pattern.search(question) and (not needed or needed & self.facts):
                keras = "@KLDivergence" in self.facts
                if answer is asking.ON_ORDER and not keras:
                    return asking.ORDER_OF_KL_DIV
                return self._with_line(answer)
        if alone and asking.STUCK.search(question) and not self._serious():
            if not self.torch:
                return direct.OTHER_STUCK
            return asking.STUCK_UNKNOWN.format(where=where("cut", self.tree))
        return None

    def _square(self, question: str) -> Text | None:
        """What a number is that a question asks of, where it is T² written out."""
        for number in re.findall(r"(?<![\d.])\d+(?:\.0)?(?![\d.])", question):
            for loss in self.losses:
                for term in loss.terms:
                    told = term.temperature
                    if not isinstance(told, Constant) or told.value in {0, 1}:
                        continue
                    written = {w.value for w, _ in term.weights if isinstance(w, Constant)}
                    if float(number) == told.value**2 and float(number) in written:
                        return direct.IS_SQUARE.format(n=number, t=f"{told.value:g}")
        return None

    def _straight(self, question: str) -> Text | None:
        """The answer that begins with yes, no or the cause, where all it needs is in the code."""
        for entry in direct.DIRECT:
            if not entry.needs <= self.facts or not entry.asks.search(question):
                continue
            one = len(self._serious()) == 1 or entry.answer is not direct.CAUSE
            if one and all(re.search(pattern, self.source) for pattern in entry.sees):
                return entry.answer.format(message=self._message_of(entry.needs))
        return None

    def _message_of(self, kinds: frozenset[str]) -> Text:
        """What the finding of one of these kinds says, to stand within a sentence."""
        for finding in self.findings:
            if kinds & set(kinds_of(finding.code)):
                said = finding.message
                return Text(
                    _INPUT_AND_TARGET.sub("", said.en).rstrip(". "),
                    _INPUT_AND_TARGET.sub("", said.zh).rstrip("。 "),
                )
        return Text("", "")

    def _about(self, question: str) -> Text | None:
        """What one name of the code is: what is said of the line that sets it."""
        asked = _ABOUT.search(question)
        name = (asked[1] or asked[2]) if asked is not None else ""
        names = {n.id for n in nodes_of(self.tree) if isinstance(n, ast.Name)}
        if name not in names:
            return None
        for line, code, words in self.lines:
            if re.match(rf"{re.escape(name)}\s*(?::[^=]*)?=(?!=)", code):
                return asking.SET_IN.format(line=line, words=words)
        stored = {n.id for n in nodes_of(self.tree) if isinstance(n, ast.Name)
                  and isinstance(n.ctx, ast.Store)}  # fmt: skip
        parameters = {n.arg for n in nodes_of(self.tree) if isinstance(n, ast.arg)}
        return None if name in stored | parameters else asking.SET_ELSEWHERE.format(name=name)

    def _with_line(self, answer: Text) -> Text:
        """The answer to why a KL is negative, with the line that makes it so."""
        if answer is not NEGATIVE_KL[1]:
            return answer
        for finding in self._serious():
            kinds = set(RULES[finding.code].catalogue) if finding.code in RULES else set()
            if kinds & _MAKES_NEGATIVE:
                told = _one_after_the_other([finding])
                nan = bool(kinds & _MAKES_NAN)
                form = direct.NAN_NOT_NEGATIVE if nan else direct.NEGATIVE
                return form.format(message=told, line=finding.span.line)
        return answer

    def general(self, question: str, *, alone: bool) -> Text | None:
        """The worst mistake to what is wrong, the summary to what the code does.

        Else that it is not answered, unless something was said before (``alone`` is false).
        """
        serious = self._serious()
        right = asking.IS_IT_RIGHT.search(question) or asking.AS_IN_THE_PAPER.search(question)
        if alone and right and serious and self.verdict.outcome == "equal":
            first = self.summary[0]
            return direct.YES_BUT.format(
                what=Text(first.en.strip(), first.zh), but=_one_after_the_other(serious)
            )
        meaning, diagnosis = asking.MEANING.search(question), asking.DIAGNOSIS.search(question)
        stuck = asking.STUCK.search(question)
        if serious and (diagnosis or stuck) and alone:
            return _one_after_the_other(serious)
        if alone and right and self.depends is not None and not serious:
            return self.depends
        if alone and not meaning and (told := self._beside_the_loss(question)) is not None:
            return told
        judged = self.verdict.outcome in {"equal", "departs"}
        if alone and (named := self._as_named(question)) is not None:
            return named
        if (meaning or diagnosis) and judged and alone:
            lines = list(self.summary)[0 if self.torch else 1 :][:2]
            if right and self.verdict.outcome == "equal":
                lines = [direct.YES, *lines]
            return Text(" ".join(s.en.strip() for s in lines), "".join(s.zh for s in lines))
        if meaning and alone:
            return asking.NOT_KNOWN
        if serious and alone and asking.TRAINING.search(question):
            return _one_after_the_other(serious)
        if serious and alone:
            return asking.INSTEAD.format(found=_one_after_the_other(serious))
        return asking.NOT_ANSWERED.format(question=_short(question)) if alone else None

    def _as_named(self, question: str) -> Text | None:
        """Yes or no to whether it is the method that the question names."""
        named = called([question])
        method = self.verdict.method
        if named is None or method is None or self.verdict.outcome != "equal":
            return None
        if not asking.IS_IT_THIS.search(question):
            return None
        if named == self.verdict.method_key:
            return direct.YES_THIS.format(method=method)
        return None

    def _beside_the_loss(self, question: str) -> Text | None:
        """To a trouble with the training that no mistake explains: that the loss is not its cause.

        A verdict on the loss would be no answer to it.
        """
        loss_is_right = self.verdict.outcome == "equal" and not self._serious()
        if not (asking.TRAINING.search(question) and loss_is_right and self.torch):
            return None
        return direct.NOT_THE_LOSS

    def _serious(self) -> list[Finding]:
        return [f for f in self.findings if str(f.severity) != "info"]


_INPUT_AND_TARGET = re.compile(r" ?\[input[:：].*?\]")
_WORD = re.compile(r"(?:an?|the|this|that|it|no|both|each|only|every|with|without|one) ")


def _one_after_the_other(findings: Sequence[Finding]) -> Text:
    """What the worst findings say, as sentences."""
    told = list(dict.fromkeys(f.message for f in findings))[:_MOST_TOLD]
    english = [_sentence(message.en) for message in told]
    chinese = [_INPUT_AND_TARGET.sub("", message.zh).rstrip("。") for message in told]
    return Text(" ".join(english), "；".join(chinese) + "。")


def _sentence(said: str) -> str:
    """A message as a sentence; one that begins with a name of the code keeps it as it is."""
    said = _INPUT_AND_TARGET.sub("", said)
    said = said[0].upper() + said[1:] if _WORD.match(said) else said
    return said if said.endswith((".", "?", "!")) else f"{said}."


_OTHER = re.compile(r"\b(?:tf|keras|jnp|jax|paddle|mindspore|mx)\.|\bGradientTape\b")
"""Code of another framework."""
_MAKES_NAN = {"KL-TARGET-LOG", "ARGS-REVERSED"}
_MAKES_NEGATIVE = {"KL-INPUT-PROBS", "KL-INPUT-RAW", "KL-TARGET-LOG", "ARGS-REVERSED"}


def _by_formula(verdict: Verdict, losses: Sequence[Loss]) -> frozenset[str]:
    """What the formula tells that is no mistake, but answers a question."""
    keys = {t.definition.key for loss in losses for t in loss.terms if t.definition is not None}
    found = {f"={key}" for key in keys}
    if verdict.outcome in {"equal", "unknown"}:
        found.add("=sound")
    ranks = {b.rank for loss in losses for b in loss.branches}
    found |= {"=maps"} if ranks == {4} else {"=sequences"} if ranks == {3} else set()
    summed = [t for loss in losses for t in loss.terms if t.over is not None]
    if summed and all(t.status == "equal" for t in summed):
        found.add("=averaged teachers")
    return frozenset(found)
