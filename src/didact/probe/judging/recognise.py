"""Isolate the distillation term of a loss, and say of which kind it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.forms.fit import EXACT, Fit, fit
from didact.probe.forms.label_forms import CAUSAL_FORMS, HEAD_FORMS, LABEL_FORMS, LabelForm
from didact.probe.forms.subject import Subject
from didact.probe.inputs.changes import relabelled
from didact.probe.inputs.inputs import Inputs
from didact.probe.judging.case import Kind

_EXPLAINED = 1e-5
"""The share of a change that a label term may leave over and still be that term."""


@dataclass(frozen=True)
class Isolated:
    """The distillation term, the best known form for it, and what was taken off."""

    subject: Subject
    fit: Fit | None
    notes: tuple[Text, ...] = ()


def isolate(whole: Subject, *, right: bool = False) -> Isolated:
    """The loss without its label term.

    Of the label terms that explain what labels change, that one is taken off which leaves a known
    form; the first, should none. ``right`` asks for right forms alone.
    """
    if not whole.binding.of_logits or not _has_teacher(whole):
        return Isolated(whole, None)
    if not whole.has("labels"):
        return Isolated(whole, fit(whole, right=right))
    inputs = [whole.binding.make(seed=s) for s in (0, 1)]
    isolated: list[Isolated] = []
    for form in _possible_label_forms(whole, inputs):
        subject = Subject(whole.binding, form)
        isolated.append(
            Isolated(subject, fit(subject, right=right), (_TAKEN_OFF.format(form=form.name),))
        )
        if _residual(isolated[-1]) < EXACT:
            break
    if isolated:
        best = min(isolated, key=_residual)
        return best if _residual(best) < EXACT else isolated[0]
    return Isolated(whole, fit(whole, right=right), (_UNKNOWN,) if _labels_matter(whole) else ())


def _possible_label_forms(subject: Subject, samples: list[Inputs]) -> list[LabelForm]:
    """The forms whose weighted gradients explain every change that new labels make.

    Several may: forms that differ by a term without labels change alike.
    """
    rises = []
    for inputs in samples:
        other = inputs.having(labels=relabelled(inputs))
        rise = subject.whole(inputs).gradient - subject.whole(other).gradient
        if not bool(torch.isfinite(rise).all()) or float(rise.norm()) == 0:
            return []
        rises.append((inputs, other, rise))
    known = list(LABEL_FORMS)
    known += HEAD_FORMS if samples[0].old is not None else ()
    known += CAUSAL_FORMS if samples[0].student.dim() == 3 else ()
    return [f for f in known if all(_explains(f, *rise) for rise in rises)]


def _explains(form: LabelForm, inputs: Inputs, other: Inputs, rise: Tensor) -> bool:
    own = form(inputs).gradient - form(other).gradient
    square = float((own * own).sum())
    if not square:
        return False
    weight = float((own * rise).sum()) / square
    return float((rise - weight * own).norm()) <= _EXPLAINED * float(rise.norm())


def _residual(isolated: Isolated) -> float:
    """What is left unexplained; nothing, where nothing is left at all."""
    return 0.0 if isolated.fit is None else isolated.fit.residual


_TAKEN_OFF = Text(
    "the label term ({form}) is taken off; the laws speak of the rest",
    "已去掉标签项（{form}）；以下定律针对其余部分",
)
_UNKNOWN = Text(
    "labels change the loss in no known way; the laws speak of the whole",
    "标签以未知方式影响损失；以下定律针对整个损失",
)


def _has_teacher(subject: Subject) -> bool:
    return subject.has("teacher") or subject.has("teacher_model")


def _labels_matter(subject: Subject) -> bool:
    inputs = subject.binding.make()
    other = inputs.having(labels=relabelled(inputs))
    return subject.whole(inputs).value != subject.whole(other).value


def recognise(subject: Subject, known: Fit | None, declared: Kind | None) -> Kind:
    """The kind whose laws bind: the declared one, or that of the known form, or by its zero."""
    isolated = subject.label_form is not None
    if declared is not None and not (declared == "objective" and isolated):
        return declared
    if not _has_teacher(subject):
        return "objective"
    if known is not None and known.exact:
        return known.form.kind  # type: ignore[return-value]
    return "objective" if declared == "objective" else _by_zero(subject)


def _by_zero(subject: Subject) -> Kind:
    inputs = subject.binding.make()
    try:
        equal = subject(inputs.having(teacher=inputs.agreeing_teacher))
        elsewhere = subject(inputs)
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        return "objective"
    zero = math.isfinite(equal.value) and abs(equal.value) <= 1e-4 * abs(elsewhere.value)
    if not zero:
        return "objective"
    if not subject.binding.of_logits or equal.norm > 1e-4 * elsewhere.norm:
        return "match"
    moved = subject(inputs.having(student=inputs.student + 1.0)).gradient
    blind = float((moved - elsewhere.gradient).norm()) <= 1e-4 * elsewhere.norm
    return "divergence" if blind else "match"
