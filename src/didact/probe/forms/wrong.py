"""Forms that a loss takes when a temperature, a dimension or a kind of number is misused."""

# ruff: noqa: N803 - T is the letter of the papers

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.forms.forms import RIGHT, Form, Formula, Map, kl, soft, two_sided


def _plain(x: Tensor, T: float) -> Tensor:  # noqa: ARG001
    return x.log_softmax(-1)


def _sharp(x: Tensor, T: float) -> Tensor:
    return (x * T).log_softmax(-1)


def _again(x: Tensor, T: float) -> Tensor:
    return (x / T / T).log_softmax(-1)


def _double(x: Tensor, T: float) -> Tensor:
    return (x / T).softmax(-1).log_softmax(-1)


def _double_soft(x: Tensor, T: float) -> Tensor:
    return ((x / T).softmax(-1) / T).log_softmax(-1)


# fmt: off
_TEMPERATURES: tuple[tuple[str, str, str, Map, Map, str], ...] = (
    ("T-teacher-only", "KL with T on the teacher only", "只对教师使用 T 的 KL",
     _plain, soft, "T-ONE-SIDE"),
    ("T-student-only", "KL with T on the student only", "只对学生使用 T 的 KL",
     soft, _plain, "T-ONE-SIDE"),
    ("T-inverted", "KL of logits multiplied by T", "logits 乘以 T 的 KL",
     _sharp, _sharp, "T-INVERTED"),
    ("T-inverted-teacher", "KL, teacher's logits multiplied by T", "教师 logits 乘以 T 的 KL",
     soft, _sharp, "T-INVERTED"),
    ("T-inverted-student", "KL, student's logits multiplied by T", "学生 logits 乘以 T 的 KL",
     _sharp, soft, "T-INVERTED"),
    ("T-twice", "KL of logits divided by T twice", "logits 两次除以 T 的 KL",
     _again, _again, "T-TWICE"),
    ("T-twice-teacher", "KL, teacher's logits divided by T twice", "教师 logits 两次除以 T 的 KL",
     soft, _again, "T-TWICE"),
    ("T-twice-student", "KL, student's logits divided by T twice", "学生 logits 两次除以 T 的 KL",
     _again, soft, "T-TWICE"),
    ("softmax-T-twice", "KL of softmax(softmax(x/T)/T)", "softmax(softmax(x/T)/T) 的 KL",
     _double_soft, _double_soft, "T-TWICE"),
    ("double", "KL of softmax(softmax(x/T))", "softmax(softmax(x/T)) 的 KL",
     _double, _double, "SOFTMAX-OF-SOFTMAX"),
    ("double-student", "KL, student through softmax twice", "学生经过两次 softmax 的 KL",
     _double, soft, "SOFTMAX-OF-SOFTMAX"),
    ("double-teacher", "KL, teacher through softmax twice", "教师经过两次 softmax 的 KL",
     soft, _double, "SOFTMAX-OF-SOFTMAX"),
)
"""Key, English, Chinese, what is made of the student's and of the teacher's logits, mistake."""

_SIDES: tuple[tuple[str, str, str, bool, bool], ...] = (
    ("", "both sides", "两侧", True, True),
    ("-teacher", "the teacher", "教师", False, True),
    ("-student", "the student", "学生", True, False),
)
"""Suffix, English, Chinese, whether the student's and the teacher's softmax is the wrong one."""

_DIMENSIONS: tuple[tuple[int, str, str, str], ...] = (
    (0, "over the batch", "沿批次维", "DIM-0"),
    (1, "over dim 1", "沿第 1 维", "DIM-SEQ"),
)
"""The wrong dimension, English, Chinese, mistake."""

_INPUTS: tuple[tuple[str, str, str, Map, str], ...] = (
    ("log-probs", "log-probabilities", "对数概率", soft, ""),
    ("probs", "probabilities", "概率", lambda x, T: (x / T).softmax(-1), "KL-INPUT-PROBS"),
    ("logits", "logits / T", "logits / T", lambda x, T: x / T, "KL-INPUT-RAW"),
    ("log-sigmoid", "log sigmoid", "log sigmoid", lambda x, T: F.logsigmoid(x / T),
     "SIG/SOFTMAX-MIX"),
)
"""What stands as the input of ``kl_div``: key, English, Chinese, the map, mistake."""

_TARGETS: tuple[tuple[str, str, str, Map, str], ...] = (
    ("probs", "probabilities", "概率", lambda x, T: (x / T).softmax(-1), ""),
    ("logits", "logits / T", "logits / T", lambda x, T: x / T, "KL-TARGET-RAW"),
    ("log-probs", "log-probabilities", "对数概率", soft, "KL-TARGET-LOG"),
    ("sigmoid", "sigmoids", "sigmoid", lambda x, T: (x / T).sigmoid(), "SIG/SOFTMAX-MIX"),
)
"""The same for its target."""
# fmt: on


def _over(dim: int, wrong_student: bool, wrong_teacher: bool) -> Formula:
    return lambda s, t, T: kl(
        (t / T).log_softmax(dim if wrong_teacher else -1),
        (s / T).log_softmax(dim if wrong_student else -1),
    )


def _over_rows(wrong_student: bool, wrong_teacher: bool) -> Formula:
    """Rows of classes from every sample and position, and a softmax over the rows."""

    def formula(s: Tensor, t: Tensor, T: float) -> Tensor:
        def log_soft(x: Tensor, wrong: bool) -> Tensor:
            rows = x.flatten(0, -2) / T
            return rows.log_softmax(0 if wrong else -1).view_as(x)

        return kl(log_soft(t, wrong_teacher), log_soft(s, wrong_student))

    return formula


def _kl_div(student: Map, teacher: Map, *, log_target: bool = False) -> Formula:
    return lambda s, t, T: F.kl_div(
        student(s, T), teacher(t, T), reduction="none", log_target=log_target
    ).sum(-1)


def _apart(word: str) -> str:
    """A word of Latin letters stands apart from Chinese ones."""
    return f" {word} ".replace("  ", " ") if word[0].isascii() else word


def _product(row: int, column: int) -> Form:
    """``kl_div(input, target)`` with one kind of number on each side."""
    key, en, zh, student, wrong_input = _INPUTS[row]
    key_t, en_t, zh_t, teacher, wrong_target = _TARGETS[column]
    return Form(
        f"kl_div({key}, {key_t})",
        Text(
            f"kl_div of {en} with {en_t} as target",
            f"kl_div（输入为{_apart(zh)}，目标为{_apart(zh_t)}）",
        ),
        _kl_div(student, teacher),
        ("KL-OF-SIGMOIDS",)
        if wrong_input == wrong_target == "SIG/SOFTMAX-MIX"
        else tuple(dict.fromkeys(m for m in (wrong_input, wrong_target) if m)),
    )


def _product_of_logs(row: int) -> Form:
    key, en, zh, student, wrong_input = _INPUTS[row]
    return Form(
        f"kl_div({key}, probs, log_target)",
        Text(
            f"kl_div of {en} with log_target=True and probabilities",
            f"kl_div（输入为{_apart(zh)}，log_target=True 却给了概率）",
        ),
        _kl_div(student, lambda x, T: (x / T).softmax(-1), log_target=True),
        ("LOG-TARGET-ON-PROBS", *([wrong_input] if wrong_input else [])),
    )


def _products() -> tuple[Form, ...]:
    """Every pair but the right one, row by row."""
    forms: list[Form] = []
    for row in range(len(_INPUTS)):
        forms += [
            _product(row, column) for column in range(len(_TARGETS)) if (row, column) != (0, 0)
        ]
        forms.append(_product_of_logs(row))
    return tuple(forms)


def _binary_of_probs(s: Tensor, t: Tensor, T: float) -> Tensor:
    q, p = (s / T).softmax(-1), (t / T).softmax(-1)
    return F.binary_cross_entropy(q, p, reduction="none").sum(-1)


def _binary_of_probs_as_logits(s: Tensor, t: Tensor, T: float) -> Tensor:
    q, p = (s / T).softmax(-1), (t / T).softmax(-1)
    return F.binary_cross_entropy_with_logits(q, p, reduction="none").sum(-1)


def _binary_mixed(s: Tensor, t: Tensor, T: float) -> Tensor:
    target = (t / T).softmax(-1)
    return F.binary_cross_entropy_with_logits(s / T, target, reduction="none").sum(-1)


def _pointwise(s: Tensor, t: Tensor, T: float) -> Tensor:
    log_p = (t / T).log_softmax(-1)
    return log_p.exp() * (log_p - (s / T).log_softmax(-1))


def _borrowed_norm(s: Tensor, t: Tensor, T: float) -> Tensor:
    """The teacher's exponentials divided by the student's sum."""
    target = (t / T).exp() / (s / T).exp().sum(-1, keepdim=True)
    return F.kl_div((s / T).log_softmax(-1), target, reduction="none").sum(-1)


def _borrowed_norm_detached(s: Tensor, t: Tensor, T: float) -> Tensor:
    target = (t / T).exp() / (s / T).exp().sum(-1, keepdim=True).detach()
    return F.kl_div((s / T).log_softmax(-1), target, reduction="none").sum(-1)


# fmt: off
_OTHERS: tuple[tuple[str, str, str, Formula, str], ...] = (
    ("bce(probs, probs)",
     "binary cross-entropy of two softmaxes", "两个 softmax 之间的二元交叉熵",
     _binary_of_probs, "BCE-ON-SOFTMAX"),
    ("bce_with_logits(probs, probs)",
     "binary cross-entropy with logits, given a softmax", "把 softmax 当 logits 的二元交叉熵",
     _binary_of_probs_as_logits, "BCEWL-ON-PROBS"),
    ("bce_with_logits(logits, probs)",
     "sigmoid of the student against softmax of the teacher", "学生用 sigmoid、教师用 softmax",
     _binary_mixed, "SIG/SOFTMAX-MIX"),
    ("kl_div(teacher probs, student probs)",
     "kl_div with the arguments reversed, both probabilities", "kl_div 两参数颠倒且均为概率",
     lambda s, t, T: F.kl_div((t / T).softmax(-1), (s / T).softmax(-1), reduction="none").sum(-1),
     "ARGS-REVERSED"),
    ("abs-pointwise",
     "sum of |p (log p - log q)|, an abs() inside", "Σ|p (log p - log q)|，内部有 abs()",
     lambda s, t, T: _pointwise(s, t, T).abs().sum(-1), "ABS/CLAMP-HIDES-NEGATIVE"),
    ("clamp-pointwise",
     "sum of max(0, p (log p - log q)), a clamp inside",
     "Σmax(0, p (log p - log q))，内部有 clamp",
     lambda s, t, T: _pointwise(s, t, T).clamp(min=0).sum(-1), "ABS/CLAMP-HIDES-NEGATIVE"),
    ("borrowed-norm",
     "teacher's exponentials over the student's sum", "教师的指数除以学生的和",
     _borrowed_norm, "COPYPASTE-NORM"),
    ("borrowed-norm-detached",
     "teacher's exponentials over the student's sum, detached",
     "教师的指数除以学生的和（已分离）",
     _borrowed_norm_detached, "COPYPASTE-NORM"),
)
"""Key, English, Chinese, formula, mistake."""
# fmt: on

REVERSED = "reverse-cross-entropy"
"""Its gradient is that of ``kl_div`` of probabilities with raw logits, whose value is none."""

FORMS: tuple[Form, ...] = (
    *RIGHT,
    *(Form(k, Text(en, zh), two_sided(s, t), (m,)) for k, en, zh, s, t, m in _TEMPERATURES),
    *(
        Form(
            f"dim-{dim}{suffix}",
            Text(f"KL, softmax of {en} {where}", f"KL，{zh}的 softmax {zh_where}"),
            _over(dim, wrong_student, wrong_teacher),
            (mistake,),
        )
        for suffix, en, zh, wrong_student, wrong_teacher in _SIDES
        for dim, where, zh_where, mistake in _DIMENSIONS
    ),
    *(
        Form(
            f"dim-rows{suffix}",
            Text(
                f"KL, softmax of {en} over the samples and their positions",
                f"KL，{zh}的 softmax 沿样本及其位置",
            ),
            _over_rows(wrong_student, wrong_teacher),
            ("DIM-0",),
        )
        for suffix, en, zh, wrong_student, wrong_teacher in _SIDES
    ),
    Form(
        REVERSED,
        Text(
            "cross-entropy of the student's probabilities and the teacher's logarithms",
            "学生概率与教师对数概率的交叉熵",
        ),
        lambda s, t, T: -((s / T).softmax(-1) * (t / T).log_softmax(-1)).sum(-1),
        ("SWAPPED",),
    ),
    *_products(),
    *(Form(k, Text(en, zh), formula, (m,)) for k, en, zh, formula, m in _OTHERS),
)
"""Every form of classes that both sides know, the right ones first."""
