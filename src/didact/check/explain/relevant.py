"""Which of the mistakes that were found answer a question, and how the answer begins."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from didact._core.i18n import Text
from didact.check.explain.correct import kinds_of
from didact.check.explain.formula.nodes import nodes_of
from didact.check.explain.summary import HYGIENE
from didact.check.explain.words import asking
from didact.check.explain.words import relevant as words
from didact.check.explain.words.polarity import LEAVES_OUT
from didact.check.findings.finding import Finding, Severity

_MOST_TOLD, _MOST_CAUSES = 3, 2
_ARGUMENTS = re.compile(r" ?\[input[:：].*?\]")
_WORD = re.compile(
    r"(?:an?|the|this|that|these|two|it|no|both|each|only|every|with|without|one|after|adding|"
    r"softmax|several) "
)
_LINE = re.compile(r"\blines? (\d+)|第 ?(\d+) ?行", re.IGNORECASE)
_EVERYWHERE = (
    "student teacher model loss logits target input output outputs labels label softmax log mean "
    "sum kl_div T self x y s t p q net optimizer alpha beta torch kl kd ce mask batch data step"
)
_COMMON = frozenset(_EVERYWHERE.split())
"""Names that nearly every code has, and that point at nothing."""
_NO_EFFECT = re.compile(
    r"never used|trains nothing|not given|no gradient|without gradient|not used|\b0\b"
    r"|changes nothing"
    r"|keep their initial|no optimi"
)
_REACHES = frozenset(
    ["TARGET-IN-GRAPH", "OPT-HAS-TEACHER", "BN-DRIFT", "TEACHER-TRAIN-MODE", "TEACHER-GRAD"]
)
"""Mistakes that are an effect where none is meant."""
_SLICED = re.compile(r"slic|切片|先切|\[:", re.IGNORECASE)
"""What no mistake but one with a slice answers."""
_STATED = re.compile(
    r"\b(?:is|are|looks?|seems?|works?) (?:all )?(?:fine|ok(?:ay)?)\b", re.IGNORECASE
)
"""What the reader says is right, and does not ask."""
_EITHER = re.compile(r"\bor\b|还是", re.IGNORECASE)
_HYPOTHETICAL = re.compile(
    r"what (happens|if|would(?! (you|i) (change|fix|improve)))|how come .* not|if i\b"
    r"|会怎么样|会怎样|如果|要是|假如",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Relevant:
    """Findings that answer a question; ``why`` they do.

    By a name, a symptom or a subject that the question names, by words that it shares with them,
    as the likeliest of a trouble, as all there is to find, or as a guess, where nothing else
    answers.
    """

    findings: tuple[Finding, ...]
    why: str


def relevant(
    question: str, around: str, findings: Sequence[Finding], tree: ast.Module
) -> Relevant | None:
    """The findings that answer this question, the one that explains most first.

    ``around`` is what else the reader says: what is complained of may stand there.
    """
    serious = [f for f in findings if f.severity is not Severity.INFO]
    judging = _judges(question)
    eval_asked = words.EVALUATION.asks.search(question) is not None
    if judging and (named := _named(question, findings if eval_asked else serious, tree)):
        return Relevant(tuple(named[:_MOST_CAUSES]), "name")
    identity = not judging and asking.IS_IT_THIS.search(question) is not None
    if not findings or _HYPOTHETICAL.search(question):
        return None
    slow = [f for f in findings if "TEACHER-GRAD" in kinds_of(f.code)]
    found = _by_topic(question, serious, words.SYMPTOMS)
    found = _by_clause(question, found, serious) or _by_topic(question, slow, words.SYMPTOMS)
    if found:
        return Relevant(tuple(found[:_MOST_CAUSES]), "symptom")
    if not serious:
        return None
    if identity and (found := _by_topic(question, serious, words.IDENTITIES)):
        return Relevant(tuple(found[:_MOST_CAUSES]), "subject")
    if not judging:
        seen = words.WHY.search(question) and any(t.asks.search(question) for t in words.SYMPTOMS)
        return Relevant(tuple(_weighty(serious)[:_MOST_CAUSES]), "guess") if seen else None
    for pattern, topic in ((_SLICED, words.SLICES), (words.SQUARES.asks, words.SQUARES)):
        if pattern.search(question) and not _by_topic(question, serious, (topic,)):
            return None
    subjects = (*words.SUBJECTS, *words.IDENTITIES)
    if found := _by_topic(question, serious, subjects, by_words=False):
        return Relevant(tuple(found[:_MOST_CAUSES]), "subject")
    if found := _by_topic(question, serious, subjects):
        return Relevant(tuple(found[:_MOST_CAUSES]), "words")
    named_subject = any(t.asks.search(question) for t in words.SUBJECTS)
    if not named_subject and (found := _by_topic(around, serious, words.SYMPTOMS)):
        worse = [f for f in serious if f.severity is Severity.ERROR and f not in found]
        if worse and all(f.severity is not Severity.ERROR for f in found):
            return Relevant((*worse, *found)[:_MOST_TOLD], "all")
        return Relevant(tuple(found[:_MOST_CAUSES]), "symptom")
    lines = {int(a or b) for a, b in _LINE.findall(question)}
    if at_line := [f for f in serious if f.span.line in lines]:
        return Relevant(tuple(at_line[:_MOST_CAUSES]), "all")
    if not found and named_subject and _asks_only_of_it(question):
        return None
    why = "trouble" if words.TROUBLE.search(f"{question} {around}") else "all"
    return Relevant(tuple(_weighty(serious)[:_MOST_TOLD]), why)


def _judges(question: str) -> bool:
    """Whether it is asked if something is right, needed, of use, or what is wrong."""
    if words.CHOOSES.search(question):
        return any(p.search(question) for p in (words.WHERE, words.AT_FAULT))
    patterns = (LEAVES_OUT, words.NORMAL, words.ANY_FAULT, words.AT_FAULT, words.RIGHT,
                words.HAS_EFFECT, words.NEEDED, words.WHERE, words.TROUBLE)  # fmt: skip
    return any(p.search(question) for p in patterns)


def _asks_only_of_it(question: str) -> bool:
    """Whether it is asked if a thing is needed or has an effect, and not whether all is right."""
    whole = (words.NORMAL, words.ANY_FAULT, words.AT_FAULT, words.RIGHT, words.WHERE, words.TROUBLE)
    return not any(p.search(question) for p in whole)


def _weighty(findings: Sequence[Finding]) -> list[Finding]:
    """Without what is a matter of style beside the others."""
    return [f for f in findings if not kinds_of(f.code) or not _is_hygiene(f)] or list(findings)


_NOT_A_CAUSE = HYGIENE - {"TEACHER-TRAIN-MODE", "BN-DRIFT"}


def _is_hygiene(finding: Finding) -> bool:
    return set(kinds_of(finding.code)) <= _NOT_A_CAUSE


def _named(question: str, findings: Sequence[Finding], tree: ast.Module) -> list[Finding]:
    """Findings with a name of the code that the question names."""
    names = {n.id for n in nodes_of(tree) if isinstance(n, ast.Name)}
    names |= {n.arg for n in nodes_of(tree) if isinstance(n, ast.arg)}
    told = (set(re.findall(r"[A-Za-z_]\w*", question)) & names) - _COMMON
    return [
        f for f in findings
        if any(re.search(rf"`{re.escape(name)}\b", f.message.en) for name in told)
    ]  # fmt: skip


def _by_topic(
    said: str, findings: Sequence[Finding], topics: Sequence[words.Topic], *,
    by_words: bool = True,
) -> list[Finding]:  # fmt: skip
    """The findings of the first topic that is spoken of: by their kinds, else by their words."""
    for topic in topics:
        if not topic.asks.search(said):
            continue
        rank = {kind: place for place, kind in enumerate(topic.kinds)}
        placed = [
            (min((rank[k] for k in kinds_of(f.code) if k in rank), default=len(rank)), f)
            for f in findings
        ]
        by_kind = [f for place, f in sorted(placed, key=lambda p: p[0]) if place < len(rank)]
        said_in = [f for place, f in placed if place == len(rank) and _says(topic, f)]
        if by_kind or (by_words and said_in):
            return by_kind or said_in
    return []


def _by_clause(
    question: str, found: Sequence[Finding], findings: Sequence[Finding]
) -> list[Finding]:
    """What explains a symptom, before it the first cause of each of several symptoms."""
    if not found:
        return []
    each = [_by_topic(c, findings, words.SYMPTOMS, by_words=False)
            for c in words.CLAUSES.split(question)]  # fmt: skip
    firsts = [causes[0] for causes in each if causes]
    several = firsts if any(f not in found for f in firsts) else []
    return [f for n, f in enumerate(several) if f not in several[:n]] + [
        f for f in found if f not in several
    ]


def _says(topic: words.Topic, finding: Finding) -> bool:
    return topic.says.search(finding.message.en) is not None


def composed(question: str, found: Relevant, *, departs: bool) -> Text:
    """The findings as the answer to the question, which begins as the question wants it.

    ``departs`` where the loss is not what it should be.
    """
    form = _form(question, found, departs=departs)
    return form.format(
        found=listing(found.findings, within=form is not words.PLAIN),
        n=len(_told(found.findings)),
    )


def _form(question: str, found: Relevant, *, departs: bool) -> Text:
    kinds = {k for f in found.findings for k in kinds_of(f.code)}
    pointed = found.why in {"subject", "name", "symptom"}
    several = len(_told(found.findings)) > 1
    if found.why == "guess":
        return words.LIKELY
    if LEAVES_OUT.search(question):
        if pointed and kinds & words.TO_ADD:
            return words.MAY_NOT_GO
        return words.SHOULD_GO if pointed and kinds & words.TO_REMOVE else words.PLAIN
    if words.NORMAL.search(question):
        return words.NOT_NORMAL
    if words.ANY_FAULT.search(question):
        return words.THERE_ARE if several else words.THERE_IS
    if words.TOO_MUCH.search(question) and found.why != "symptom":
        return words.AS_WRITTEN
    if words.PERMISSION.search(question) and not words.ANY_FAULT.search(question):
        return words.AS_WRITTEN
    if words.HAS_EFFECT.search(question) and pointed:
        without = _NO_EFFECT.search(found.findings[0].message.en)
        if kinds & _REACHES:
            return words.HAS_IT
        return words.NO_EFFECT if without else words.AS_WRITTEN
    if words.WHY.search(question) and found.why == "symptom":
        return words.CAUSE
    same = (
        found.why == "subject"
        and asking.IS_IT_THIS.search(question)
        and not _EITHER.search(question)
    )
    right = asking.IS_IT_RIGHT.search(question) or same
    if right and found.why != "symptom" and (departs or pointed):
        elsewhere = not pointed and any(t.asks.search(question) for t in words.SUBJECTS)
        return words.ANOTHER if elsewhere else words.NO
    if words.WHERE.search(question) and not words.AT_FAULT.search(question):
        return {"symptom": words.CAUSE, "trouble": words.LIKELY}.get(found.why, words.PLAIN)
    if found.why == "symptom" and not words.RIGHT.search(_STATED.sub("", question)):
        return words.CAUSE
    elsewhere = not pointed and any(t.asks.search(question) for t in words.SUBJECTS)
    if words.NEEDED.search(question):
        if pointed and kinds & words.TO_ADD:
            return words.YES_NEEDED
        return words.NO_NEED if pointed and kinds & words.TO_REMOVE else words.AS_WRITTEN
    if words.AT_FAULT.search(question):
        if _EITHER.search(question):
            return words.AS_WRITTEN
        return words.ANOTHER if elsewhere else words.YES
    if found.why == "trouble":
        return words.LIKELY
    if elsewhere:
        return words.ANOTHER
    if words.RIGHT.search(question):
        return words.NO if departs or pointed else words.AS_WRITTEN
    return words.PLAIN


def listing(findings: Sequence[Finding], *, within: bool = False) -> Text:
    """What the findings say, as sentences; several are counted.

    ``within`` where words stand before them in the sentence.
    """
    told = _told(findings)
    if len(told) == 1:
        english = told[0].en
        begins = within and _WORD.match(english.lower()) and not english.startswith("`")
        return Text(english[0].lower() + english[1:] if begins else english, f"{told[0].zh}。")
    numbers = "①②③④⑤"
    return Text(
        " ".join(f"({n}) {said.en}" for n, said in enumerate(told, start=1)),
        "；".join(f"{n} {said.zh}" for n, said in zip(numbers, told, strict=False)) + "。",
    )


def _told(findings: Sequence[Finding]) -> list[Text]:
    """The messages as sentences, each once, without the arguments in brackets."""
    told = {
        _sentence(f.message.en): _ARGUMENTS.sub("", f.message.zh).rstrip("。 ") for f in findings
    }
    return [Text(english, chinese) for english, chinese in told.items()]


def _sentence(said: str) -> str:
    """A message as a sentence; one that begins with a name of the code keeps it as it is."""
    said = _ARGUMENTS.sub("", said)
    said = said[0].upper() + said[1:] if _WORD.match(said) else said
    return said if said.endswith((".", "?", "!")) else f"{said}."
