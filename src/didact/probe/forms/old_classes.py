"""Forms of a loss whose teacher knows fewer classes than the student, or of square inputs only."""

# ruff: noqa: N803 - T is the letter of the papers

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.forms.forms import RIGHT, Form, Formula, Map, Special, kl, soft
from didact.probe.forms.subject import Subject
from didact.probe.forms.wrong import FORMS
from didact.probe.inputs.inputs import OF_IMAGES, Inputs


def _late(x: Tensor, inputs: Inputs, T: float) -> Tensor:
    """The old classes, cut out after the softmax over all of them."""
    return inputs.shared(soft(x, T))


def _early(x: Tensor, inputs: Inputs, T: float) -> Tensor:
    return soft(inputs.shared(x), T)


def _late_mse(s: Tensor, i: Inputs, T: float) -> Tensor:
    return ((_late(s, i, T).exp() - _early(i.teacher, i, T).exp()) ** 2).sum(-1)


def _of_all(formula: Formula) -> Special:
    return lambda s, i, T: formula(s, i.teacher, T)


def _target(inputs: Inputs) -> Tensor:
    """A one-hot vector with the teacher's logits pasted over the old classes."""
    hot = F.one_hot(inputs.labels.clamp(min=0), inputs.classes).to(inputs.teacher.dtype)
    return torch.cat([inputs.shared(inputs.teacher), hot[..., inputs.old :]], -1)


def _plain(x: Tensor, T: float) -> Tensor:  # noqa: ARG001
    return x.log_softmax(-1)


def _pasted(student: Map, target: Map) -> Special:
    return lambda s, i, T: -(target(_target(i), T).exp() * student(s, T)).sum(-1)


def _pasted_binary(s: Tensor, i: Inputs, T: float) -> Tensor:  # noqa: ARG001
    return F.binary_cross_entropy_with_logits(s, _target(i), reduction="none").sum(-1)


def _icarl(of_teacher: Callable[[Tensor], Tensor]) -> Special:
    def formula(s: Tensor, i: Inputs, T: float) -> Tensor:  # noqa: ARG001
        hot = F.one_hot(i.labels.clamp(min=0), i.classes).to(i.teacher.dtype)
        target = torch.cat([of_teacher(i.shared(i.teacher)), hot[..., i.old :]], -1)
        return F.binary_cross_entropy_with_logits(s, target, reduction="none").sum(-1)

    return formula


def _columns(p: Tensor) -> Tensor:
    """Divided by the sums of the rows as if they were those of the columns."""
    return p / p.sum(-1)


def _divided(of: Map, side: str) -> Special:
    def formula(s: Tensor, i: Inputs, T: float) -> Tensor:
        t = i.shared(i.teacher)
        target = soft(t, T).exp() if side == "student" else _columns(of(t, T))
        student = i.shared(s)
        log_q = soft(student, T) if side == "teacher" else _columns(of(student, T)).log()
        return -(target * log_q).sum(-1)

    return formula


def _cut(side: str) -> Special:
    def formula(s: Tensor, i: Inputs, T: float) -> Tensor:
        late = _late(i.teacher, i, T).exp()
        target = _early(i.teacher, i, T).exp() if side == "student" else _columns(late)
        return -(target * _columns(_late(s, i, T).exp()).log()).sum(-1)

    return formula


_Row = tuple[str, str, str, Special]
"""Key, English, Chinese, formula."""

# fmt: off
_SLICED: tuple[_Row, ...] = (
    ("late-student",
     "KL over all classes with zeros for those that the teacher does not know",
     "在全部类别上的 KL，教师不认识的类别按概率 0 处理",
     lambda s, i, T: kl(_early(i.teacher, i, T), _late(s, i, T))),
    ("late-reverse",
     "reverse KL, the student cut after its softmax",
     "反向 KL，学生在 softmax 之后才切片",
     lambda s, i, T: kl(_late(s, i, T), _early(i.teacher, i, T))),
    ("late-mse",
     "squared error of probabilities, the student cut after its softmax",
     "概率的平方误差，学生在 softmax 之后才切片",
     _late_mse),
)
_SLICED_BOTH: tuple[_Row, ...] = (
    ("late-both",
     "KL of old classes cut out after the softmax, on both sides",
     "两侧都在 softmax 之后才切出旧类的 KL",
     lambda s, i, T: kl(_late(i.teacher, i, T), _late(s, i, T))),
    ("late-teacher",
     "KL of old classes, the teacher cut after its softmax",
     "旧类的 KL，教师在 softmax 之后才切片",
     lambda s, i, T: kl(_late(i.teacher, i, T), _early(s, i, T))),
)
_PASTED_TARGETS: tuple[tuple[str, str, Map], ...] = (
    ("1", "softmax(target)", _plain), ("T", "softmax(target/T)", soft),
)
_PASTED_STUDENTS: tuple[tuple[str, str, Map], ...] = (("1", "s", _plain), ("T", "s/T", soft))
_UNNORMALISED: tuple[tuple[str, str, Map], ...] = (
    ("exp", "exp(x/T)", lambda x, T: (x / T).exp()),
    ("power", "softmax(x)^(1/T)", lambda x, T: x.softmax(-1) ** (1 / T)),
)
_SIDES: tuple[tuple[str, str, str], ...] = (
    ("both", "both sides", "两侧"), ("teacher", "the teacher", "教师"),
    ("student", "the student", "学生"),
)
# fmt: on


def _special(key: str, en: str, zh: str, formula: Special, mistake: str) -> Form:
    return Form(key, Text(en, zh), lambda s, _t, _T: s.sum(-1), (mistake,), special=formula)


_CHANNEL_WISE = Form(
    "dim-1",
    Text("channel-wise KL, softmax over the positions", "逐通道 KL，softmax 沿空间位置"),
    lambda s, t, T: kl((t / T).log_softmax(1), (s / T).log_softmax(1)),
    kind="match",
)
"""Of maps it is meant, and no softmax over a wrong dimension."""

OLD_FORMS = tuple(_special(*row, "SLICE-AFTER-SOFTMAX") for row in _SLICED)
"""The student cut too late."""

WIDE_FORMS = (
    *(_special(*row, "SLICE-AFTER-SOFTMAX") for row in _SLICED_BOTH),
    *(
        replace(
            form,
            key=f"all-{form.key}",
            name=Text(f"{form.name.en} over all classes", f"{form.name.zh}（在全部类别上）"),
            special=_of_all(form.formula),
        )
        for form in RIGHT
    ),
)
"""The teacher has a column for every class."""

MIXED_FORMS = (
    *(
        _special(
            f"mixed-{key}-{key_s}",
            f"cross-entropy of {words} with {target}, the teacher's logits in a one-hot",
            f"{words} 对 {target} 的交叉熵，target 为写入教师 logits 的 one-hot",
            _pasted(of_student, of_target),
            "MIXED-SPACE",
        )
        for key, target, of_target in _PASTED_TARGETS
        for key_s, words, of_student in _PASTED_STUDENTS
    ),
    _special(
        "mixed-bce",
        "binary cross-entropy with a one-hot that has the teacher's logits in it",
        "以写入教师 logits 的 one-hot 为目标的二元交叉熵",
        _pasted_binary,
        "MIXED-SPACE",
    ),
    Form(
        "icarl",
        Text(
            "binary cross-entropy with the teacher's sigmoids for old classes, labels for new ones",
            "二元交叉熵：旧类以教师的 sigmoid 为目标，新类以标签为目标",
        ),
        lambda s, _t, _T: s.sum(-1),
        kind="objective",
        power=None,
        special=_icarl(torch.sigmoid),
    ),
    Form(
        "icarl-softmax",
        Text(
            "binary cross-entropy with the teacher's softmax for old classes, labels for new ones",
            "二元交叉熵：旧类以教师的 softmax 为目标，新类以标签为目标",
        ),
        lambda s, _t, _T: s.sum(-1),
        ("SIG/SOFTMAX-MIX",),
        kind="objective",
        power=None,
        special=_icarl(lambda t: t.softmax(-1)),
    ),
)
"""Labels and the teacher in one target, in one space or mixed."""

SQUARE_FORMS = (
    *(
        _special(
            f"no-keepdim-{key}-{side}",
            f"cross-entropy, {words} of {en} divided by its sums without keepdim",
            f"交叉熵，{zh}的 {words} 除以自身之和却没有 keepdim",
            _divided(of, side),
            "NO-KEEPDIM",
        )
        for key, words, of in _UNNORMALISED
        for side, en, zh in _SIDES
    ),
    *(
        _special(
            f"no-keepdim-slice-{side}",
            f"cross-entropy, old classes of {en} cut out and divided by their sums without keepdim",
            f"交叉熵，{zh}切出旧类后除以自身之和却没有 keepdim",
            _cut(side),
            "NO-KEEPDIM",
        )
        for side, en, zh in (_SIDES[2], _SIDES[0])
    ),
)
"""Normalised without ``keepdim``, which only runs with as many samples as classes."""


def forms_for(subject: Subject) -> tuple[Form, ...]:
    """The forms that are worth a comparison, the right ones first."""
    sizes = subject.binding.sizes
    forms = FORMS
    if subject.binding.layout in OF_IMAGES:
        forms = tuple(_CHANNEL_WISE if form.key == _CHANNEL_WISE.key else form for form in FORMS)
    if sizes.old is not None:
        forms += OLD_FORMS if sizes.narrow else OLD_FORMS + WIDE_FORMS
        if subject.label_form is None and subject.has("labels"):
            forms += MIXED_FORMS
    return forms + SQUARE_FORMS if sizes.batch in (sizes.classes, sizes.old) else forms
