"""Forms that a loss takes when a temperature or a dimension is misused."""

# ruff: noqa: N803 - T is the letter of the papers

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from didact._core.i18n import Text
from didact.probe.forms.forms import RIGHT, Form, Formula, kl, soft, two_sided


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


def _temperatures() -> Iterator[Form]:
    cases: list[tuple[str, str, str, Callable[..., Tensor], Callable[..., Tensor], str]] = [
        (
            "T-teacher-only",
            "KL with T on the teacher only",
            "只对教师使用 T 的 KL",
            _plain,
            soft,
            "T-ONE-SIDE",
        ),
        (
            "T-student-only",
            "KL with T on the student only",
            "只对学生使用 T 的 KL",
            soft,
            _plain,
            "T-ONE-SIDE",
        ),
        (
            "T-inverted",
            "KL of logits multiplied by T",
            "logits 乘以 T 的 KL",
            _sharp,
            _sharp,
            "T-INVERTED",
        ),
        (
            "T-inverted-teacher",
            "KL, teacher's logits multiplied by T",
            "教师 logits 乘以 T 的 KL",
            soft,
            _sharp,
            "T-INVERTED",
        ),
        (
            "T-inverted-student",
            "KL, student's logits multiplied by T",
            "学生 logits 乘以 T 的 KL",
            _sharp,
            soft,
            "T-INVERTED",
        ),
        (
            "T-twice",
            "KL of logits divided by T twice",
            "logits 两次除以 T 的 KL",
            _again,
            _again,
            "T-TWICE",
        ),
        (
            "T-twice-teacher",
            "KL, teacher's logits divided by T twice",
            "教师 logits 两次除以 T 的 KL",
            soft,
            _again,
            "T-TWICE",
        ),
        (
            "T-twice-student",
            "KL, student's logits divided by T twice",
            "学生 logits 两次除以 T 的 KL",
            _again,
            soft,
            "T-TWICE",
        ),
        (
            "softmax-T-twice",
            "KL of softmax(softmax(x/T)/T)",
            "softmax(softmax(x/T)/T) 的 KL",
            _double_soft,
            _double_soft,
            "T-TWICE",
        ),
        (
            "double",
            "KL of softmax(softmax(x/T))",
            "softmax(softmax(x/T)) 的 KL",
            _double,
            _double,
            "SOFTMAX-OF-SOFTMAX",
        ),
        (
            "double-student",
            "KL, student through softmax twice",
            "学生经过两次 softmax 的 KL",
            _double,
            soft,
            "SOFTMAX-OF-SOFTMAX",
        ),
        (
            "double-teacher",
            "KL, teacher through softmax twice",
            "教师经过两次 softmax 的 KL",
            soft,
            _double,
            "SOFTMAX-OF-SOFTMAX",
        ),
    ]
    for key, en, zh, student, teacher, mistake in cases:
        yield Form(key, Text(en, zh), two_sided(student, teacher), (mistake,))


def _dims() -> Iterator[Form]:
    def over(dim: int, s_wrong: bool, t_wrong: bool) -> Formula:
        return lambda s, t, T: kl(
            (t / T).log_softmax(dim if t_wrong else -1), (s / T).log_softmax(dim if s_wrong else -1)
        )

    batch = (
        ("", "both sides", "两侧", True, True),
        ("-teacher", "the teacher", "教师", False, True),
        ("-student", "the student", "学生", True, False),
    )
    for suffix, en, zh, s_wrong, t_wrong in batch:
        yield Form(
            f"dim-0{suffix}",
            Text(f"KL, softmax of {en} over the batch", f"KL，{zh}的 softmax 沿批次维"),
            over(0, s_wrong, t_wrong),
            ("DIM-0",),
            whole=True,
        )
        yield Form(
            f"dim-1{suffix}",
            Text(f"KL, softmax of {en} over dim 1", f"KL，{zh}的 softmax 沿第 1 维"),
            over(1, s_wrong, t_wrong),
            ("DIM-SEQ",),
            whole=True,
        )


FORMS_OF_PROBS = (*RIGHT, *_temperatures(), *_dims())
"""The right forms, then these."""
