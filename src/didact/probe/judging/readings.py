"""What the numbers are that a loss takes: logits, probabilities or their logarithms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import torch

from didact._core.i18n import Text
from didact.probe.binding.attempts import attempt
from didact.probe.binding.binding import SPACES, Binding
from didact.probe.binding.documented import documented_layout
from didact.probe.binding.roles import Role, Space
from didact.probe.forms.fit import is_power
from didact.probe.forms.subject import Subject
from didact.probe.inputs.changes import unwidened, widened
from didact.probe.inputs.inputs import Layout, Sizes
from didact.probe.judging.recognise import Isolated, isolate

_OF_A_CACHE: tuple[Space, Space] = ("logits", "log_probs")
_LAYOUTS: tuple[Layout, ...] = ("classes", "sequence", "dense")


def best_reading(binding: Binding) -> Isolated:
    """The reading in which the loss is a known right form; as its names say, should none be.

    A name that says ``logits`` or ``probs`` itself is not read otherwise.
    """
    named = isolate(Subject(binding))
    if _is_right(named):
        return _by_positions(named) or named
    if not _repeats(binding):
        return named
    for other in _others(binding):
        if attempt(other) is not None:
            continue
        read = isolate(Subject(other), right=True)
        if _is_right(read, guessed=True):
            return replace(read, notes=(*read.notes, *_notes(binding, other)))
    return named


def _by_positions(named: Isolated) -> Isolated | None:
    """The loss as one of sequences, should it divide rows of classes by what is their length."""
    binding = named.subject.binding
    if binding.layout != "classes" or binding.told or binding.sizes != Sizes():
        return None
    other = replace(binding, layout="sequence", seen={}, touched=set())
    if not _shrinks(named) or attempt(other) is not None:
        return None
    read = isolate(Subject(other))
    return read if _is_right(read, guessed=True) and not _shrinks(read) else None


def _shrinks(isolated: Isolated) -> bool:
    """Whether twice as many classes, of probability 0, make the gradient smaller."""
    inputs = isolated.subject.binding.make()
    try:
        wide = isolated.subject(widened(inputs, 2 * inputs.classes)).gradient
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        return False
    here = isolated.subject(inputs).gradient
    return float(unwidened(wide, inputs).norm()) < 0.9 * float(here.norm())


def _repeats(binding: Binding) -> bool:
    """Whether a second call gives the same; no form fits a loss that draws random numbers."""
    inputs = binding.make()
    first, second = (float(binding(inputs).detach()) for _ in range(2))
    return first == second or math.isnan(first)


_NAMES: dict[Space, Text] = {
    "logits": Text("logits", " logits"),
    "probs": Text("probabilities", "概率"),
    "log_probs": Text("log-probabilities", "对数概率"),
}
_READ = Text(
    "read as a loss of the student's {student} and the teacher's {teacher}, with which it is a "
    "known form; the names do not say so",
    "按“学生给{student}、教师给{teacher}”解读时是已知形式；参数名本身没有说明",
)


def _notes(named: Binding, read: Binding) -> list[Text]:
    """What no name told."""
    sides: tuple[Role, Role] = ("student", "teacher")
    then, now = ([_space(b, side) for side in sides] for b in (named, read))
    if then == now:
        return []
    return [_READ.format(student=_NAMES[now[0]], teacher=_NAMES[now[1]])]


_CERTAIN = 1e-5
"""What rounding leaves at most, where a loss computes in float32: another reading must fit so."""


def _is_right(isolated: Isolated, *, guessed: bool = False) -> bool:
    fit = isolated.fit
    if fit is None or not fit.exact or fit.factor < 0:
        return False
    if guessed and isolated.subject.binding.dtype == torch.float64 and fit.residual > _CERTAIN:
        return False
    if guessed and fit.power is not None and fit.form.power is not None:
        known = any(is_power(fit.power, each) for each in (0, fit.form.power))
        if not known:
            return False  # probabilities divided by T: rather logits that should be softened
    return fit.form.right


def _space(binding: Binding, role: str) -> Space:
    return next(s.space for s in binding.slots if s.role == role)


def _others(binding: Binding) -> Iterator[Binding]:
    sides = {s.role: s for s in binding.slots if s.role in ("student", "teacher") and not s.fixed}
    if len(sides) != 2 or not binding.of_logits:
        return
    layouts: list[Layout] = [binding.layout]
    if binding.layout in _LAYOUTS and binding.sizes == Sizes() and not binding.told:
        layouts += [each for each in _LAYOUTS if each != binding.layout]
        if binding.layout == "sequence" and documented_layout(binding.target.source) is None:
            layouts.append("channels_first")
    softened = (False, True) if binding.has("temperature") else (False,)
    for (student, teacher), layout, soft in product(SPACES, layouts, softened):
        wanted = {"student": student, "teacher": teacher}
        if any(s.space_sure and s.space != wanted[role] for role, s in sides.items()):
            continue
        if soft and student == teacher == "logits":
            continue
        if (student, teacher) == _OF_A_CACHE and sides["teacher"].space != "log_probs":
            continue  # softmax of log-probabilities at T is softmax of logits / T
        other = binding.in_spaces(student, teacher, softened=soft)
        if (other.slots, layout) != (binding.slots, binding.layout):
            yield replace(other, layout=layout)
