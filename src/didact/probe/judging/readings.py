"""What the numbers are that a loss takes: logits, probabilities or their logarithms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from didact._core.i18n import Text
from didact.probe.binding.bind import attempt
from didact.probe.binding.binding import Binding
from didact.probe.binding.roles import Space
from didact.probe.forms.subject import Subject
from didact.probe.judging.recognise import Isolated, isolate

_SPACES: tuple[tuple[Space, Space], ...] = (
    ("logits", "logits"),
    ("logits", "probs"),
    ("log_probs", "probs"),
    ("probs", "probs"),
    ("log_probs", "log_probs"),
)
"""What the student's side and the teacher's may be, the commonest first."""


def best_reading(binding: Binding) -> Isolated:
    """The reading in which the loss is a known right form; as its names say, should none be.

    A name that says ``logits`` or ``probs`` itself is not read otherwise.
    """
    named = isolate(Subject(binding))
    if _is_right(named):
        return named
    for other in _others(binding):
        if attempt(other) is not None:
            continue
        read = isolate(Subject(other))
        if _is_right(read):
            note = _READ.format(
                student=_NAMES[_space(other, "student")], teacher=_NAMES[_space(other, "teacher")]
            )
            return replace(read, notes=(*read.notes, note))
    return named


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


def _is_right(isolated: Isolated) -> bool:
    fit = isolated.fit
    if fit is None or not fit.exact or fit.factor < 0:
        return False
    return not set(fit.form.mistakes) - {"SWAPPED"}


def _space(binding: Binding, role: str) -> Space:
    return next(s.space for s in binding.slots if s.role == role)


def _others(binding: Binding) -> Iterator[Binding]:
    sides = {s.role: s for s in binding.slots if s.role in ("student", "teacher") and not s.fixed}
    if len(sides) != 2 or not binding.of_logits:
        return
    now = sides["student"].space, sides["teacher"].space
    for student, teacher in _SPACES:
        wanted = {"student": student, "teacher": teacher}
        if (student, teacher) == now:
            continue
        if any(s.space_sure and s.space != wanted[role] for role, s in sides.items()):
            continue
        yield replace(
            binding,
            slots=tuple(
                replace(s, space=wanted[s.role]) if s.role in wanted and not s.fixed else s
                for s in binding.slots
            ),
            seen={},
            touched=set(),
        )
