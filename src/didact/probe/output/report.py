"""What a probe found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from didact._core.i18n import Language, Text
from didact.probe.forms.mistakes import Mistake
from didact.probe.judging.case import Kind, Outcome, State


@dataclass(frozen=True)
class Result:
    """One law and what it found."""

    law: str
    title: Text
    meaning: Text
    outcome: Outcome

    @property
    def state(self) -> State:
        """What the law found."""
        return self.outcome.state


@dataclass(frozen=True)
class Report:
    """What a probe found.

    Attributes:
        name: What was probed.
        source: The file that it was imported from, if known.
        kind: The kind whose laws bind.
        declared: The kind that the user declared, or ``None``.
        binding: Each parameter and what it got.
        notes: What was done to what the loss returned, and how its label term was taken off.
        match: The best known form.
        results: Every law.
        mistakes: Kinds of mistakes that broken laws or the form point to.
        seconds: The processor time spent.
        evidence: What points to each of these mistakes.
    """

    name: str
    source: str
    kind: Kind
    declared: Kind | None
    binding: tuple[tuple[str, Text], ...]
    notes: tuple[Text, ...]
    match: Text
    results: tuple[Result, ...]
    mistakes: tuple[Mistake, ...]
    seconds: float
    evidence: tuple[Text, ...] = ()

    @property
    def broken(self) -> tuple[Result, ...]:
        """The laws of the kind that break."""
        return tuple(r for r in self.results if r.state == "broken")

    @property
    def ok(self) -> bool:
        """Whether every law of the kind holds."""
        return not self.broken

    def outcome(self, law: str) -> Outcome:
        """What one law found.

        Raises:
            KeyError: No such law was tried.
        """
        return {r.law: r.outcome for r in self.results}[law]

    def to_dict(self, language: Language = "en") -> dict[str, Any]:
        """The report as plain data."""
        return {
            "schema": 1,
            "name": self.name,
            "source": self.source,
            "kind": self.kind,
            "declared": self.declared,
            "ok": self.ok,
            "binding": {name: text.pick(language) for name, text in self.binding},
            "notes": [n.pick(language) for n in self.notes],
            "match": self.match.pick(language),
            "laws": [_plain(r, language) for r in self.results],
            "mistakes": [
                {
                    "kind": m.key,
                    "codes": list(m.codes),
                    "text": m.text.pick(language),
                    "evidence": shown.pick(language),
                }
                for m, shown in zip_longest(self.mistakes, self.evidence, fillvalue=Text("", ""))
                if isinstance(m, Mistake)
            ],
            "seconds": round(self.seconds, 3),
        }


def _plain(result: Result, language: Language) -> dict[str, Any]:
    return {
        "law": result.law,
        "title": result.title.pick(language),
        "state": result.state,
        "text": result.outcome.text.pick(language),
        "numbers": _numbers(result.outcome.numbers),
        "mistakes": list(result.outcome.mistakes),
    }


def _numbers(value: Any) -> Any:
    """Plain JSON: keys are texts, and what is no number is a text."""
    if isinstance(value, Mapping):
        return {str(k): _numbers(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_numbers(v) for v in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return str(value)
    return value
