"""The questions that a snippet raises, chosen by what is in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from didact._core.i18n import Text
from didact.check.engine.engine import Analysis
from didact.check.engine.names import is_temperature
from didact.check.engine.spaces import Role, Space
from didact.check.explain.words import answers
from didact.check.explain.words import answers_training as training

LIMIT = 3
"""The most questions that are answered for one snippet."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answer."""

    question: Text
    answer: Text
    further: tuple[Question, ...] = ()
    """What was asked beside it."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """What decides which questions are raised."""

    analysis: Analysis
    kinds: frozenset[str]
    source: str

    def has(self, *kinds: str) -> bool:
        """Whether one of these mistakes was found."""
        return not self.kinds.isdisjoint(kinds)

    def uses(self, *kinds: str) -> bool:
        """Whether one of these losses is computed."""
        return any(u.kind in kinds for u in self.analysis.uses)

    @property
    def soft(self) -> bool:
        """Whether a softened distribution is compared."""
        return self.uses("kl_div", "soft_cross_entropy", "kl_by_hand")

    @property
    def temperature(self) -> bool:
        """Whether some softmax has a temperature."""
        return any(
            (s.result.temperature is not None and not s.result.temperature.is_one)
            for s in self.analysis.softmaxes
        ) or any(
            is_temperature(symbol) for u in self.analysis.uses for symbol in u.input.scale.symbols
        )

    @property
    def weighted(self) -> bool:
        """Whether a hard and a soft term are added."""
        return any(
            any(t.use.is_hard for t in total.value.terms)
            and any(not t.use.is_hard for t in total.value.terms)
            for total in self.analysis.totals
        )

    @property
    def convex(self) -> bool:
        """Whether a weight is written as one minus another."""
        rest = r"\(\s*1(?:\.0?)?\s*-\s*[A-Za-z_][\w.]*\s*\)"
        return re.search(rf"{rest}\s*\*|\*\s*{rest}", self.source) is not None

    @property
    def scaled(self) -> bool:
        """Whether a name or a number stands before a loss as its weight."""
        weight = r"(?:lam\w*|lmbda|alpha|beta|gamma|\w*weight\w*|\w*coef\w*|\d*\.?\d+)"
        return re.search(rf"\b{weight}\s*\*(?!\*)|\*\s*{weight}\b", self.source) is not None

    @property
    def sliced(self) -> bool:
        """Whether a loss sees a slice of the classes."""
        shifts = {None, "", ":-1", "1:"}
        return any(not {u.input.class_slice, u.target.class_slice} <= shifts
                   for u in self.analysis.uses)  # fmt: skip

    @property
    def teachers(self) -> bool:
        """Whether there are several teachers."""
        return any(
            w in self.source
            for w in ("teachers", "teacher_models", "models_old", "教师们", "experts")
        )


_TRIGGERS: tuple[tuple[Callable[[Snippet], bool], tuple[Text, Text]], ...] = (
    (lambda s: s.uses("kl_div"), answers.WHICH_LOG),
    (
        lambda s: s.has(
            "KL-INPUT-PROBS", "KL-INPUT-RAW", "ABS-HIDES-NEGATIVE", "KL-TARGET-LOG", "ARGS-REVERSED"
        ),
        answers.NEGATIVE_KL,
    ),
    (lambda s: s.has("CE-ON-PROBS"), answers.SOFTMAX_BEFORE_CE),
    (lambda s: s.has("EMPTY-SLICE", "SLICE-DIM0"), answers.EMPTY_SLICE),
    (
        lambda s: s.has("LABEL-OFFSET") or "- start" in s.source or "- known" in s.source,
        answers.LABEL_OFFSET,
    ),
    (
        lambda s: s.has("BCE-ON-SOFTMAX", "SIG/SOFTMAX-MIX") or s.uses("bce", "bce_logits"),
        answers.BCE_OR_CE,
    ),
    (lambda s: s.has("T-ONE-SIDE"), answers.ONE_SIDE),
    (lambda s: s.has("SOFTMAX-OF-SOFTMAX", "T-TWICE"), answers.TWICE),
    (lambda s: s.has("SWAPPED"), answers.FORWARD_REVERSE),
    (lambda s: s.has("LOG-OF-SOFTMAX"), answers.LOG_OF_SOFTMAX),
    (
        lambda s: (
            s.has("DIM-0", "DIM-SEQ", "DIM-MISSING")
            or any(x.dim == 0 for x in s.analysis.softmaxes)
        ),
        answers.WHICH_DIM,
    ),
    (lambda s: s.uses("kl_div"), training.BATCHMEAN),
    (lambda s: s.soft and s.temperature, training.T_SQUARED),
    (
        lambda s: s.teachers or s.has("AVG-LOGITS-vs-PROBS", "MULTI-TEACHER-SUM"),
        training.MANY_TEACHERS,
    ),
    (lambda s: s.soft and s.weighted and s.convex, training.CONVEX),
    (lambda s: s.soft and s.weighted and s.scaled and not s.convex, training.WEIGHT),
    (lambda s: s.sliced or s.has("SLICE-AFTER-SOFTMAX"), training.SLICE_FIRST),
    (
        lambda s: _has_teacher(s) and (bool(s.analysis.forwards) or "detach" in s.source),
        training.EVAL_DETACH,
    ),
    (lambda s: s.has("ITEM-IN-GRAPH", "GRAPH-CUT"), training.ITEM),
    (lambda s: "deepcopy" in s.source or s.has("ALIAS-TEACHER"), training.DEEPCOPY),
    (lambda s: "zero_grad" in s.source, training.ZERO_GRAD),
    (lambda s: any(w in s.source for w in ("herding", "exemplar")), training.HERDING),
)


def questions(snippet: Snippet) -> list[Question]:
    """The questions that this snippet raises, at most :data:`LIMIT`."""
    raised = [pair for wanted, pair in _TRIGGERS if wanted(snippet)]
    by_mistakes = [pair for pair in raised if pair in _BY_MISTAKE]
    others = [pair for pair in raised if pair not in by_mistakes]
    return [Question(*pair) for pair in (*by_mistakes, *others)][:LIMIT]


_BY_MISTAKE = (
    answers.NEGATIVE_KL, answers.SOFTMAX_BEFORE_CE, answers.EMPTY_SLICE, answers.ONE_SIDE,
    answers.TWICE, answers.FORWARD_REVERSE, answers.LOG_OF_SOFTMAX, answers.WHICH_DIM,
    training.ITEM,
)  # fmt: skip
"""Questions that only a mistake raises: they come first."""


def _has_teacher(snippet: Snippet) -> bool:
    analysis = snippet.analysis
    values = [v for u in analysis.uses for v in (u.input, u.target)]
    values += [f.value for f in analysis.forwards]
    return any(v.role is Role.TEACHER for v in values) or any(
        v.space is Space.MODEL and v.role is Role.TEACHER for v in values
    )
