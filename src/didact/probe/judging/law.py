"""A law: its page in two languages, whom it binds, and how it is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from didact._core.i18n import Text
from didact.probe.judging.case import Case, Kind, Outcome, skipped

Try = Callable[[Case], Outcome]
EVERY: tuple[Kind, ...] = ("divergence", "match", "objective")


@dataclass(frozen=True)
class Law:
    """One law.

    Attributes:
        name: In kebab case.
        title: What holds, in a few words.
        maths: The formula.
        meaning: What it means when it breaks.
        binds: The kinds that must obey; for others its outcome is only reported.
        logits: Whether it speaks of class scores only.
        test: Tries it.
    """

    name: str
    title: Text
    maths: Text
    meaning: Text
    binds: tuple[Kind, ...]
    logits: bool
    test: Try

    def __call__(self, case: Case) -> Outcome:
        """Try the law; it breaks if it binds the kind, what the loss is is known, and twice."""
        if self.logits and not case.of_logits:
            return skipped(
                "speaks of class scores; this loss takes features",
                "只适用于 logits；此损失的输入是特征",
            )
        if self.name not in _BEFORE_GRADIENT and not case.here.norm:
            return skipped("no gradient reaches the student", "没有梯度到达学生")
        outcome = self.test(case)
        if outcome.state == "broken" and not case.may_accuse(self.name):
            return Outcome("measured", outcome.text, outcome.numbers)
        if outcome.state == "broken" and case.kind not in self.binds:
            return Outcome("advice", outcome.text, outcome.numbers, outcome.mistakes)
        if outcome.state == "broken" and not self._breaks_again(case):
            return Outcome("measured", outcome.text, outcome.numbers)
        return outcome

    def _breaks_again(self, case: Case) -> bool:
        """Whether the law breaks on a second, independent set of inputs too."""
        again = case.again
        if self.name not in _BEFORE_GRADIENT and not again.here.norm:
            return False
        return self.test(again).state == "broken"


LAWS: dict[str, Law] = {}
_BEFORE_GRADIENT = ("finite", "reaches-student", "deterministic", "label-term")


def law(
    name: str,
    *,
    title: Text,
    maths: Text,
    meaning: Text,
    binds: tuple[Kind, ...] = ("divergence",),
    logits: bool = True,
) -> Callable[[Try], Try]:
    """Register the decorated function as a law."""

    def register(test: Try) -> Try:
        LAWS[name] = Law(name, title, maths, meaning, binds, logits, test)
        return test

    return register
