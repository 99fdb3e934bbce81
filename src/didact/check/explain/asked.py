"""The question that stands in a paste, and its answer."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from didact._core.i18n import Text
from didact.check.explain.answers import Code, answer_from_code
from didact.check.explain.answers.meaning import meaning_of as meaning_of_terms
from didact.check.explain.answers.range_of_loss import of_named_terms
from didact.check.explain.causes import facts_of, meaning_of, message_in, where
from didact.check.explain.correct import kinds_of
from didact.check.explain.formula.judge import Loss
from didact.check.explain.formula.nodes import nodes_of, text_of
from didact.check.explain.formula.tree import Constant
from didact.check.explain.naming import OF_SCORES, called
from didact.check.explain.question_text import Asked, asked_in, is_question
from didact.check.explain.questions import Question
from didact.check.explain.relevant import Relevant, composed, listing, relevant
from didact.check.explain.summary import HYGIENE, Verdict
from didact.check.explain.words import answers_direct as direct
from didact.check.explain.words import asking, errors
from didact.check.explain.words import relevant as words
from didact.check.explain.words.polarity import LEAVES_OUT, as_asked, is_open
from didact.check.findings.finding import Finding
from didact.check.snippet.intact import is_words

_ABOUT = re.compile(
    r"(?:^|[^\w.])`?([A-Za-z_][\w.]*)`?\s*(?:这个|这一?行|变量|到底|又|究竟)*\s*"
    r"(?:是什么|是啥|什么意思|是干什么|是做什么|起什么作用|有什么用|指什么)"
    r"|\bwhat(?:'s| is| does)\s+`?([A-Za-z_][\w.]*)`?\s*(?:mean|do|for|here|\?|$)",
    re.IGNORECASE,
)
"""A question about one name of the code."""


_MOST_QUESTIONS = 5
"""Questions of one paste that are answered."""
_LONGEST = 160
_MOST_LINES, _MOST_AROUND = 400, 2_000
"""Of a paste, what else the reader says is looked for in so much."""


def answer_to(
    text: str, findings: Sequence[Finding], kinds: frozenset[str], verdict: Verdict,
    summary: Sequence[Text], losses: Sequence[Loss], tree: ast.Module,
    lines: Sequence[tuple[int, str, Text]] = (), corrected: Sequence[Loss] = (),
    depends: Text | None = None, code: Code | None = None, mended: Sequence[Text] = (),
) -> Question | None:  # fmt: skip
    """What the reader asked, with the answer that fits this code.

    An error message is a part of the question and answered first. Where nothing is known that
    answers, the answer says so. ``depends`` says on which value that is not shown it depends
    whether the code is right: then the answer is not yes. ``code`` is asked for what it proves.
    ``mended`` is what recovering the code changed.
    """
    asked, message = asked_in(text), message_in(text)
    if not asked and message is None:
        return None
    facts = kinds | _by_formula(verdict, [*losses, *corrected]) | facts_of(tree)
    facts |= {"=no error"} if message is None else frozenset()
    if kinds.isdisjoint(words.SYMPTOMS_OF_NEGATIVE) and verdict.outcome in {"equal", "departs"}:
        facts |= {"=not negative"}
    if "=averaged teachers" in facts and not _SHARES.search(text_of(tree)):
        facts = facts - {"=averaged teachers"} | {"=weighted teachers"}
    known = _Known(findings, facts, verdict, summary, tree, lines)
    known.losses, known.depends, known.code = losses, depends, code
    known.mended = mended
    prose = [line.strip() for line in text.split("\n")[:_MOST_LINES] if is_words(line)]
    known.around = " ".join([*(a.text for a in asked), message or "", *prose])[:_MOST_AROUND]
    parts = _on_message(message, findings, tree) if message is not None else []
    said = list(parts)
    if parts:
        known.told = frozenset(_TOLD_BY_ERRORS) & kinds
    first = asked[0].text if asked else (message or "")[:_LONGEST]
    plain = [a for a in asked if is_question(a.text) and not asking.LINE_BY_LINE.search(a.text)]
    answered = (plain or asked[:1])[:_MOST_QUESTIONS]
    about_error = message is not None and bool(parts)
    told = [_answers(known, one, parts, about_error=about_error) for one in answered]
    own = told[0] if told and answered[0].text == first else []
    apart = message is not None and message not in first
    outright = apart and bool(own) and own[0].en.startswith(("Yes", "No"))
    begin = [*own, *said] if outright else [*said, *own]
    if not begin:
        unknown = errors.UNKNOWN.format(message=(message or "")[:_LONGEST])
        begin = [known.not_answered(first) if message is None else unknown]
    further = [
        Question(Text(_short(one.text), _short(one.text)), _joined(found))
        for one, found in zip(answered, told, strict=True) if found and one.text != first
    ]  # fmt: skip
    return Question(Text(_short(first), _short(first)), _joined(begin), tuple(further))


def _answers(known: _Known, one: Asked, parts: list[Text], *, about_error: bool) -> list[Text]:
    """What answers the questions of one sentence; ``parts`` is all that was said so far."""
    found: list[Text] = []
    for part in one.parts:
        question = known.completed(part)
        if about_error and _on_the_error(question):
            continue
        alone = not parts
        known.answering = frozenset()
        said = known.special(question, alone=alone) or known.general(question, alone=alone)
        again = bool(known.answering) and known.answering <= known.told
        known.told |= known.answering
        if said is None or _is_said(said, parts) or again:
            continue
        said = as_asked(question, said)
        parts.append(said)
        quoted = len(one.parts) > 1 and part != one.parts[0]
        form = asking.FURTHER if quoted else Text("{answer}", "{answer}")
        found.append(form.format(question=_short(part), answer=said))
    return found


def _joined(parts: Sequence[Text]) -> Text:
    return Text(" ".join(p.en.strip() for p in parts), "".join(p.zh.strip() for p in parts))


_TOLD_BY_ERRORS = (
    "GRAPHS-KEPT", "HEAD-MISMATCH", "SUM-OUTLIVES", "TRAINER-SIGNATURE", "CONSTRUCTOR",
    "LAMBDA-NAME",
)  # fmt: skip
"""Mistakes that the meaning of an error message tells of."""


_BY_FORM = frozenset({"ewc", "l2_sp", "margin", "lucir_margin"})
"""Methods that are told by the form of the formula: no numbers were compared."""
_SHOWN_BY = {
    "LAMBDA-NAME": "yntax", "STORED-GRAPH": "second time", "LEAF-WRITTEN": "leaf Variable",
    "HEAD-WIDENED": "size of tensor|must match", "CONSTRUCTOR": "Boolean value of Tensor",
}  # fmt: skip
"""Mistakes by the words of the error message that they make."""


def _on_message(message: str, findings: Sequence[Finding], tree: ast.Module) -> list[Text]:
    """What an error message means, and the mistake that makes it, where they are known."""
    kinds = {"SUM-OUTLIVES"}
    kinds |= {kind for kind, part in _SHOWN_BY.items() if re.search(part, message)}
    causes = [f for f in findings if kinds & set(kinds_of(f.code))]
    if causes:
        form = words.CAUSE_AT if len(causes) == 1 else words.CAUSE
        return [form.format(found=listing(causes, within=True), line=causes[0].span.line)]
    heads = [f for f in findings if "HEAD-MISMATCH" in kinds_of(f.code)]
    if heads:
        return [listing(heads)]
    meaning = meaning_of(message, tree)
    return [] if meaning is None else [meaning]


def _on_the_error(question: str) -> bool:
    """Whether only the error is asked about, which has been explained."""
    return bool(words.WHERE.search(question)) and not words.AT_FAULT.search(question)


def _is_said(said: Text, parts: Sequence[Text]) -> bool:
    """Whether the same stands there already; a line that is named makes no difference."""
    if parts and said in asking.ON_MEMORY:
        return True
    core = said.en.strip()[:80]
    return any(core in part.en for part in parts)


def _kinds_told(found: Relevant) -> frozenset[str]:
    return frozenset(kind for f in found.findings for kind in (kinds_of(f.code) or (f.code,)))


def _is_of_value(finding: Finding) -> bool:
    """Whether a remark is about the value of the loss."""
    kinds = set(kinds_of(finding.code))
    return bool(kinds) and not kinds <= HYGIENE


def _without_because(said: Text) -> Text:
    english = said.en.removeprefix("Because ")
    begins = english if english == said.en else english[0].lower() + english[1:]
    return Text(begins, said.zh.removeprefix("因为").strip())


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
        self.around = ""
        self.mended: Sequence[Text] = ()
        self.told: frozenset[str] = frozenset()
        self.answering: frozenset[str] = frozenset()
        """The kinds of mistakes that have been told, and that are told now."""
        self.depends: Text | None = None
        self.before = ""
        """The question before this one."""
        self.code: Code | None = None
        self.findings, self.verdict = findings, verdict
        self.summary, self.tree, self.source = summary, tree, text_of(tree)
        self.torch = _OTHER.search(self.source) is None
        self.facts = facts if self._serious() else facts | {"=clean"}

    def completed(self, question: str) -> str:
        """A question with what the one before it was about, where it names nothing itself."""
        before, self.before = self.before, question
        if not before or not asking.ELLIPTIC.search(question):
            return question
        return f"{asking.QUESTION_WORDS.sub('', before).strip(' ?？')}，{question}"

    def special(self, question: str, *, alone: bool = True) -> Text | None:
        """The answer to this very question, where its words and the code fit one.

        ``alone`` where nothing was said before: then a mistake may be the answer to a complaint.
        """
        if asking.LINE_BY_LINE.search(question):
            return None
        first = _LEFT_OUT.search(question) and not LEAVES_OUT.search(question)
        by_code = (self._by_fact, self._by_code) if first else (
            self._by_code, self._by_fact)  # fmt: skip
        ways = (self._runs_today, self._of_one_term, self._by_symptom, self._of_two_losses,
                by_code[0],
                self._by_mistake, self._about, by_code[1], self._square,
                self._known_well, self._by_guess)  # fmt: skip
        for way in ways:
            if (said := way(question)) is not None:
                return said
        if alone and asking.STUCK.search(question) and not self._serious():
            if not self.torch:
                return direct.OTHER_STUCK
            return asking.STUCK_UNKNOWN.format(where=where("cut", self.tree))
        return None

    def _runs_today(self, question: str) -> Text | None:
        """Whether old code still runs: what was mended in it, and what is no longer so called."""
        if not asking.RUNS_TODAY.search(question):
            return None
        told = [m for m in self.mended if "Python 2" in m.en]
        told += [f.message for f in self.findings if f.code in _DOES_NOT_RUN]
        told += [text for pattern, text in asking.OLD_NAMES if re.search(pattern, self.source)]
        if not told:
            return None
        return asking.NOT_AS_IT_STANDS.format(
            changes=Text("; ".join(t.en.rstrip(". ") for t in told),
                         "；".join(t.zh.rstrip("。 ") for t in told))
        )  # fmt: skip

    def _of_one_term(self, question: str) -> Text | None:
        """What values a term can have that the question names, whatever else is wrong."""
        return None if self.code is None else of_named_terms(question, self.code)

    def _by_symptom(self, question: str) -> Text | None:
        """The mistake that explains what is seen, or that is about what the question names."""
        entry = self._straight(question, of_mistakes=True)
        if entry is not None:
            normal = words.NORMAL.search(question) and entry.en.startswith(("Because", "For "))
            return words.NOT_NORMAL.format(found=_without_because(entry)) if normal else entry
        found = relevant(question, self.around, self.findings, self.tree)
        if found is None or found.why not in {"symptom", "name"}:
            return None
        self.answering = _kinds_told(found)
        return self._negative(question, found.findings) or self._composed(question, found)

    def _by_mistake(self, question: str) -> Text | None:
        """The mistakes that answer what is asked, behind yes, no or the cause."""
        found = relevant(question, self.around, self.findings, self.tree)
        if found is None or found.why == "guess":
            return None
        unsure = found.why in {"all", "trouble", "words"}
        kinds = _kinds_told(found)
        if LEAVES_OUT.search(question) and (unsure or not kinds & (words.TO_ADD | words.TO_REMOVE)):
            return None
        if unsure and (words.PERMISSION.search(question) or (
            found.why == "words" and words.NEEDED.search(question)
        )):  # fmt: skip
            return None
        self.answering = _kinds_told(found)
        is_right = asking.IS_IT_RIGHT.search(question) or asking.AS_IN_THE_PAPER.search(question)
        if found.why == "all" and is_right and self.verdict.outcome == "equal":
            first = self.summary[0]
            return direct.YES_BUT.format(
                what=Text(first.en.strip(), first.zh), but=listing(found.findings)
            )
        return self._composed(question, found)

    def _by_guess(self, question: str) -> Text | None:
        """The worst mistakes to a symptom that none of them is known to explain."""
        found = relevant(question, self.around, self.findings, self.tree)
        if found is None or found.why != "guess":
            return None
        return self._composed(question, found)

    def _composed(self, question: str, found: Relevant) -> Text:
        return composed(question, found, departs=self.verdict.outcome != "equal")

    def _negative(self, question: str, findings: Sequence[Finding]) -> Text | None:
        """Why a KL is negative: the line that makes it so."""
        if not _BELOW_ZERO.search(question):
            return None
        for finding in findings:
            kinds = set(kinds_of(finding.code))
            if kinds & _MAKES_NEGATIVE:
                form = direct.NAN_NOT_NEGATIVE if kinds & _MAKES_NAN else direct.NEGATIVE
                if form is direct.NEGATIVE and _CAN_IT.search(question) and not is_open(question):
                    form = direct.CAN_BE_NEGATIVE
                return form.format(message=listing([finding]), line=finding.span.line)
        return None

    def _by_code(self, question: str) -> Text | None:
        return answer_from_code(question, self.code) if self.code is not None else None

    def _of_two_losses(self, question: str) -> Text | None:
        """KL or cross-entropy: a question about both losses, not about this code's arguments."""
        bare = _CODE_SPAN.sub(" ", question)
        both = asking.KL_AND_CROSS_ENTROPY.search(bare) is not None
        keys = self.code.keys if self.code is not None else frozenset()
        if both and asking.WHICH_IT_IS.search(bare) and "=clean" in self.facts:
            if keys & {"soft_ce", "soft_ce_masked"} and "kd" not in keys:
                return asking.IS_CROSS_ENTROPY
            if keys & {"kd", "kd_masked"} and "soft_ce" not in keys:
                return asking.IS_DIVERGENCE
        return asking.SOFT_OR_KL if both and "=clean" in self.facts else None

    def _by_fact(self, question: str) -> Text | None:
        return self._straight(question, of_mistakes=False)

    def _known_well(self, question: str) -> Text | None:
        """What is known of a question that many ask, where it is true of this code."""
        said = _CODE_SPAN.sub(" ", question)
        for pattern, needed, answer in asking.ASKED:
            if not self.torch and answer in asking.TORCH_ALONE:
                continue
            if pattern.search(said) and (not needed or needed & self.facts):
                return answer
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

    def _straight(self, question: str, *, of_mistakes: bool) -> Text | None:
        """The answer that begins with yes, no or the cause, where all it needs is in the code.

        ``of_mistakes`` where only those are wanted that some mistake is needed for.
        """
        for entry in direct.DIRECT:
            if any(need[0] not in "=@" for need in entry.needs) != of_mistakes:
                continue
            if not entry.needs <= self.facts or not entry.asks.search(question):
                continue
            one = len(self._serious()) == 1 or entry.answer is not direct.CAUSE
            if one and all(re.search(pattern, self.source) for pattern in entry.sees):
                self.answering = frozenset(n for n in entry.needs if n[0] not in "=@")
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
        for line, code, told in self.lines:
            if told.en and re.match(rf"{re.escape(name)}\s*(?::[^=]*)?=(?!=)", code):
                return asking.SET_IN.format(line=line, words=told)
        stored = {n.id for n in nodes_of(self.tree) if isinstance(n, ast.Name)
                  and isinstance(n.ctx, ast.Store)}  # fmt: skip
        parameters = {n.arg for n in nodes_of(self.tree) if isinstance(n, ast.arg)}
        return None if name in stored | parameters else asking.SET_ELSEWHERE.format(name=name)

    def general(self, question: str, *, alone: bool) -> Text | None:
        """Yes, as far as it is shown; what it is; that nothing was found; else that it is open."""
        if (named := self._as_named(question)) is not None:
            return named
        asks_fault = (words.WHERE, words.ANY_FAULT, words.AT_FAULT)
        fault = any(p.search(question) for p in asks_fault)
        by_line = asking.LINE_BY_LINE.search(question)
        asks_why = words.WHY.search(question) is not None
        meaning = by_line or (asking.MEANING.search(question) and not fault and not asks_why)
        right = asking.IS_IT_RIGHT.search(question) or asking.AS_IN_THE_PAPER.search(question)
        judges = right or words.NORMAL.search(question)
        trouble = words.TROUBLE.search(question) or asking.STUCK.search(question)
        particular = asking.PARTICULAR.search(question) is not None
        if LEAVES_OUT.search(question) and not (by_line or (trouble and fault)):
            return None
        if right and self.depends is not None:
            return self.depends
        at_fault_alone = words.AT_FAULT.search(question) and not (
            words.WHERE.search(question) or words.ANY_FAULT.search(question))  # fmt: skip
        if particular and at_fault_alone:
            return None
        if (particular or asking.BESIDE_THE_LOSS.search(question)) and not (fault or trouble):
            return None
        remarks = [f for f in self.findings if f not in self._serious() and _is_of_value(f)]
        open_ = not self._serious() and self.verdict.outcome != "equal"
        by_batch = [f for f in remarks if "divides by the batch" in f.message.en]
        if by_batch and asking.DIVIDES.search(question):
            return words.YES_NEEDED.format(found=listing(by_batch[:1], within=True))
        if remarks and open_ and (right or fault or trouble):
            likely = self.verdict.outcome == "departs" and not (right or self.depends)
            form = words.LIKELY if likely else words.REMARK
            return form.format(found=listing(remarks[:1], within=likely))
        if right and not trouble and not self._serious():
            return self._verdict_on_it()
        if alone and not meaning and (told := self._beside_the_loss(question)) is not None:
            return told
        if meaning and alone and not self._is_of_a_part(question):
            return self._what_it_does() if self._is_judged() else asking.NOT_KNOWN
        plain = self._is_judged() and not self._serious() and not fault
        if alone and asking.IS_IT_THIS.search(question) and plain:
            return self._what_it_is()
        if (judges or fault or trouble) and not self._serious():
            if self.verdict.outcome in {"unknown", "none"} and not trouble:
                return direct.NOT_COMPARED
            what = self._verdict_on_it(short=True)
            if self.verdict.outcome == "departs":
                return what
            none = words.NONE_FOUND.format(what=what)
            return Text(f"{none.en.strip()}{words.NEEDS_MORE.en}",
                        f"{none.zh}{words.NEEDS_MORE.zh}") if trouble else none  # fmt: skip
        return None

    def _is_judged(self) -> bool:
        return self.verdict.outcome in {"equal", "departs"}

    def _what_it_is(self) -> Text:
        """The first lines of the summary: the method, and how far it is equal to it."""
        lines = list(self.summary)[0 if self.torch else 1 :][:2]
        return Text(" ".join(s.en.strip() for s in lines), "".join(s.zh for s in lines))

    def _what_it_does(self) -> Text:
        """The method, what each of its terms does, and how far the code is equal to it."""
        terms = meaning_of_terms(self.code) if self.code is not None else None
        if terms is None:
            return self._what_it_is()
        lines = list(self.summary)[0 if self.torch else 1 :][:2]
        at = len(lines) if self.verdict.outcome == "equal" else 1
        said = [*lines[:at], terms, *lines[at:]]
        return Text(" ".join(s.en.strip() for s in said), "".join(s.zh for s in said))

    def not_answered(self, question: str) -> Text:
        """That it is open, and what would settle it."""
        training = words.TROUBLE.search(question) or asking.TRAINING.search(question)
        needed = asking.NEEDS_TRAINING if training else Text("", "")
        if self._serious():
            needed = Text(
                f"{needed.en}{asking.FOUND_BELOW.en}", f"{needed.zh}{asking.FOUND_BELOW.zh}"
            )
        return asking.NOT_ANSWERED.format(needed=needed)

    def _is_of_a_part(self, question: str) -> bool:
        """Whether the question names something in the code, and not the whole of it."""
        defined = {n.name for n in nodes_of(self.tree)
                   if isinstance(n, ast.FunctionDef | ast.ClassDef)}  # fmt: skip
        names = {n.id for n in nodes_of(self.tree) if isinstance(n, ast.Name)}
        names |= {n.arg for n in nodes_of(self.tree) if isinstance(n, ast.arg)}
        names |= {n.attr for n in nodes_of(self.tree) if isinstance(n, ast.Attribute)}
        bare = _CODE_SPAN.sub(" ", question)
        if bare != question:
            return False  # the code stands in the question
        told = set(re.findall(r"[A-Za-z_]\w*", bare))
        at_line = _LINE_NUMBER.search(question) is not None
        return at_line or bool(told & (names - defined - _WORDS_TOO))

    def _verdict_on_it(self, *, short: bool = False) -> Text:
        """What was compared with which definition, as the answer to whether it is right."""
        first = list(self.summary)[0 if self.torch else 1 :][:1]
        what = first[0] if first else Text("", "")
        if self.verdict.outcome == "departs":
            return self._what_it_is()
        if self.verdict.outcome != "equal":
            return Text("", "") if short else direct.NOT_COMPARED
        compared = Text(what.en.strip(), what.zh.strip())
        if self.verdict.method_key not in _BY_FORM:
            compared = direct.COMPARED.format(what=compared, compared=self._compared())
        return compared if short else Text(f"{direct.YES.en}{compared.en}",
                                           f"{direct.YES.zh}{compared.zh}")  # fmt: skip

    def _compared(self) -> Text:
        """What the comparison with the definition covers in this code."""
        told = [
            text for pattern, text in direct.COMPARED_OF if re.search(pattern, self.source)
        ] or [direct.COMPARED_FORMULA]
        return Text(", ".join(t.en for t in told), "、".join(t.zh for t in told))

    def _as_named(self, question: str) -> Text | None:
        """Yes or no to whether it is the method that the question names."""
        named = called([question.lower()])
        method = self.verdict.method
        if named is None or method is None or self.verdict.outcome != "equal":
            return None
        key = self.verdict.method_key
        if asking.IS_IT_THIS.search(question) and named == key:
            return direct.YES_THIS.format(method=method)
        is_right = asking.IS_IT_RIGHT.search(question) is not None
        if is_right and named != key and not {named, key} <= OF_SCORES and key in {"plain", "mse"}:
            return direct.NOT_AS_NAMED.format(method=method)
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
_SHARES = re.compile(r"/ ?(?:len\(|\w*(?:num|\bn|count|sum)\w*)|mean\(|softmax\(\w*w\w*,|\.sum\(\)")
"""Code that makes shares which sum to 1."""
_LEFT_OUT = re.compile(
    r"forg[eo]t|without|what (?:happens|if)|if i\b|\bboth\b"
    r"|不写|不加|忘|去掉|会怎样|会怎么样|两个都|都要",
    re.IGNORECASE,
)
"""Questions on what is not as in the code: what the code does is no answer to them."""
_CAN_IT = re.compile(r"^\W*(can|could|may|is it possible)\b|(?<!只)能|会不会|可能", re.IGNORECASE)
"""Whether something is possible."""
_BELOW_ZERO = re.compile(r"negative|below zero|minus|负", re.IGNORECASE)
_CODE_SPAN = re.compile(
    r"`[^`]*[(=][^`]*`|[A-Za-z_][\w.]*\([^\u4e00-\u9fff`]*[,=/][^\u4e00-\u9fff`]*\)"
)
"""Quoted code: what it calls is not what is asked about."""


_DOES_NOT_RUN = frozenset(["KE103", "KE104", "KD207", "KD209", "KD403", "KD604", "KD608"])
"""Findings with which the code stops, or is warned of."""
_WORDS_TOO = frozenset(
    ["loss", "student", "teacher", "model", "a", "i", "is", "this", "step", "train", "mean", "T"]
)
"""Names of code that are words of a question as well."""
_LINE_NUMBER = re.compile(r"\bline \d|第 ?\d+ ?行", re.IGNORECASE)
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
    if verdict.outcome == "equal":
        found.add("=equal")
    ranks = {b.rank for loss in losses for b in loss.branches}
    found |= {"=maps"} if ranks == {4} else {"=sequences"} if ranks == {3} else set()
    summed = [t for loss in losses for t in loss.terms if t.over is not None]
    if summed and all(t.status == "equal" for t in summed):
        found.add("=averaged teachers")
    return frozenset(found)
