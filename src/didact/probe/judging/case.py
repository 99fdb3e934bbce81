"""What a law is tried on, and what it says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import torch

from didact._core.i18n import Text
from didact.probe.binding.binding import SPACES
from didact.probe.forms.evaluation import Evaluation
from didact.probe.forms.fit import Fit
from didact.probe.forms.subject import Subject
from didact.probe.inputs.changes import relabelled
from didact.probe.inputs.inputs import Inputs

Kind = Literal["divergence", "match", "objective"]
_SELF_EVIDENT = ("reaches-student", "label-term", "old-classes", "partition", "shift")
State = Literal["holds", "broken", "advice", "measured", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """What a law found.

    Attributes:
        state: ``"broken"`` counts against the loss; ``"advice"`` and ``"measured"`` do not.
        text: What was found, with its numbers.
        numbers: The numbers, for machines.
        mistakes: Kinds of mistakes that this points to.
    """

    state: State
    text: Text
    numbers: Mapping[str, Any] = field(default_factory=dict)
    mistakes: tuple[str, ...] = ()


def holds(en: str, zh: str, **numbers: Any) -> Outcome:
    """The law holds."""
    return Outcome("holds", Text(en, zh), numbers)


def breaks(en: str, zh: str, *mistakes: str, **numbers: Any) -> Outcome:
    """The law breaks."""
    return Outcome("broken", Text(en, zh), numbers, mistakes)


def advises(en: str, zh: str, *mistakes: str, **numbers: Any) -> Outcome:
    """Something to know that is no broken law."""
    return Outcome("advice", Text(en, zh), numbers, mistakes)


def measured(en: str, zh: str, **numbers: Any) -> Outcome:
    """A number that no law binds."""
    return Outcome("measured", Text(en, zh), numbers)


def skipped(en: str, zh: str) -> Outcome:
    """The law does not apply."""
    return Outcome("skipped", Text(en, zh))


@dataclass(frozen=True)
class Case:
    """One loss, bound and recognised.

    Attributes:
        subject: The distillation term.
        kind: The kind whose laws it must obey.
        declared: Whether the user said so.
        fit: The best known form.
        offset: What is added to the seeds of the inputs.
        language_model: Whether the user said that it is a loss of a language model.
    """

    subject: Subject
    kind: Kind
    declared: bool
    fit: Fit | None
    offset: int = 0
    language_model: bool = False

    @property
    def again(self) -> Case:
        """The same case with inputs that have nothing in common with these."""
        return replace(self, offset=self.offset + 1000)

    def may_accuse(self, law: str) -> bool:
        """Whether a broken law counts: only where it is known what the loss is.

        That is so if the user said it or a known form fits; that the student has no part in it, or
        a label term of a known form, tells without.
        """
        if self.declared or law in _SELF_EVIDENT:
            return True
        if self.exact is not None:
            plain = self.exact.form.kind == "match" and not self.subject.binding.names_logits
            return not (plain and law == "masked")  # features may have a mask for other terms
        if law == "masked" and self.of_logits and not self.subject.has("teacher"):
            return True
        return law == "finite" and (self.subject.binding.names_logits or self.never_finite)

    @cached_property
    def never_finite(self) -> bool:
        """Whether the value is no number for logits, probabilities and their logarithms alike."""
        if not self.of_logits or math.isfinite(self.here.value):
            return False
        binding = self.subject.binding
        others = [Subject(binding.in_spaces(*spaces)) for spaces in SPACES]
        try:
            return not any(math.isfinite(each.whole(self.inputs).value) for each in others)
        except Exception:  # noqa: BLE001 - the user's code may raise anything
            return False

    @property
    def alone(self) -> bool:
        """Whether its size counts beside no other term, so that a constant factor is a choice."""
        return self.subject.label_form is None and not self.declared

    @property
    def tolerance(self) -> float:
        """The relative error that rounding explains."""
        return 1e-5 if self.subject.binding.dtype == torch.float64 else 1e-3

    def make(self, **changes: Any) -> Inputs:
        """Inputs of the layout that the loss takes."""
        changes["seed"] = changes.get("seed", 0) + self.offset
        return self.subject.binding.make(**changes)

    @cached_property
    def inputs(self) -> Inputs:
        """The inputs that most laws start from."""
        return self.make()

    @cached_property
    def here(self) -> Evaluation:
        """The loss at these inputs."""
        return self.subject(self.inputs)

    @property
    def square(self) -> bool:
        """Whether the loss only runs where there are as many samples as classes."""
        sizes = self.subject.binding.sizes
        return sizes.batch in (sizes.classes, sizes.old)

    @property
    def of_logits(self) -> bool:
        """Whether the two sides are class scores."""
        return self.subject.binding.of_logits

    @property
    def exact(self) -> Fit | None:
        """The fit, if the loss is a known form."""
        return self.fit if self.fit is not None and self.fit.exact else None

    def distance(self, evaluation: Evaluation, expected: Evaluation) -> float:
        """The relative difference of two gradients."""
        size = max(float(expected.gradient.norm()), 1e-300)
        return float((evaluation.gradient - expected.gradient).norm()) / size

    @cached_property
    def labels_matter(self) -> bool:
        """Whether labels change the loss, or did before their term was taken off."""
        other = self.inputs.having(labels=relabelled(self.inputs))
        ignored = self.inputs.having(labels=torch.full_like(self.inputs.labels, -100))
        here = self.subject.whole(self.inputs).value
        try:
            values = [self.subject.whole(each).value for each in (other, ignored)]
        except Exception:  # noqa: BLE001 - the user's code may raise anything
            return True
        return any(value != here for value in values)

    @cached_property
    def coupled(self) -> bool:
        """Whether the gradient of one sample depends on the other samples."""
        other = self.make(seed=7)
        mixed = self.inputs.having(
            student=torch.cat([self.inputs.student[:1], other.student[1:]]),
            teacher=torch.cat([self.inputs.teacher[:1], other.teacher[1:]]),
        )
        gradient, base = self.subject(mixed).gradient[0], self.here.gradient[0]
        return bool((gradient - base).norm() > self.tolerance * base.norm().clamp(min=1e-300))
