"""Forms that a loss takes when its numbers are of the wrong kind."""

# ruff: noqa: N803 - T is the letter of the papers

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.forms.forms import Form, Formula
from didact.probe.forms.misused import FORMS_OF_PROBS

_Map = Callable[[Tensor, float], Tensor]

_INPUTS: tuple[tuple[str, str, str, _Map, str], ...] = (
    ("log-probs", "log-probabilities", "对数概率", lambda x, T: (x / T).log_softmax(-1), ""),
    ("probs", "probabilities", "概率", lambda x, T: (x / T).softmax(-1), "KL-INPUT-PROBS"),
    ("logits", "logits / T", "logits / T", lambda x, T: x / T, "KL-INPUT-RAW"),
    (
        "log-sigmoid",
        "log sigmoid",
        "log sigmoid",
        lambda x, T: F.logsigmoid(x / T),
        "SIG/SOFTMAX-MIX",
    ),
)
_TARGETS: tuple[tuple[str, str, str, _Map, str], ...] = (
    ("probs", "probabilities", "概率", lambda x, T: (x / T).softmax(-1), ""),
    ("logits", "logits / T", "logits / T", lambda x, T: x / T, "KL-TARGET-RAW"),
    (
        "log-probs",
        "log-probabilities",
        "对数概率",
        lambda x, T: (x / T).log_softmax(-1),
        "KL-TARGET-LOG",
    ),
    ("sigmoid", "sigmoids", "sigmoid", lambda x, T: (x / T).sigmoid(), "SIG/SOFTMAX-MIX"),
)


def _products() -> Iterator[Form]:
    """``kl_div(input, target)`` with each kind of number on each side, but the right one."""
    for key, en, zh, of_student, wrong_input in _INPUTS:
        for key_t, en_t, zh_t, of_teacher, wrong_target in _TARGETS:
            if key == "log-probs" and key_t == "probs":
                continue
            yield Form(
                f"kl_div({key}, {key_t})",
                Text(f"kl_div of {en} with {en_t} as target", f"kl_div：输入为{zh}，目标为{zh_t}"),
                _between(of_student, of_teacher),
                tuple(dict.fromkeys(m for m in (wrong_input, wrong_target) if m)),
            )
        yield Form(
            f"kl_div({key}, probs, log_target)",
            Text(
                f"kl_div of {en} with log_target=True and probabilities",
                f"kl_div：输入为{zh}，log_target=True 却给了概率",
            ),
            _log_target(of_student),
            ("LOG-TARGET-ON-PROBS", *([wrong_input] if wrong_input else [])),
        )


def _between(student: _Map, teacher: _Map) -> Formula:
    return lambda s, t, T: _kl_div(student(s, T), teacher(t, T))


def _log_target(student: _Map) -> Formula:
    return lambda s, t, T: _kl_log(student(s, T), (t / T).softmax(-1))


def _kl_div(log_q: Tensor, target: Tensor) -> Tensor:
    return F.kl_div(log_q, target, reduction="none").sum(-1)


def _kl_log(log_q: Tensor, target: Tensor) -> Tensor:
    return F.kl_div(log_q, target, reduction="none", log_target=True).sum(-1)


def _softened(s: Tensor, t: Tensor, T: float) -> tuple[Tensor, Tensor]:
    return (s / T).softmax(-1), (t / T).softmax(-1)


def _bce(s: Tensor, t: Tensor, T: float) -> Tensor:
    q, p = _softened(s, t, T)
    return F.binary_cross_entropy(q, p, reduction="none").sum(-1)


def _bce_logits(s: Tensor, t: Tensor, T: float) -> Tensor:
    q, p = _softened(s, t, T)
    return F.binary_cross_entropy_with_logits(q, p, reduction="none").sum(-1)


def _bce_mixed(s: Tensor, t: Tensor, T: float) -> Tensor:
    target = (t / T).softmax(-1)
    return F.binary_cross_entropy_with_logits(s / T, target, reduction="none").sum(-1)


def _pointwise(s: Tensor, t: Tensor, T: float) -> Tensor:
    log_p = (t / T).log_softmax(-1)
    return log_p.exp() * (log_p - (s / T).log_softmax(-1))


def _borrowed_norm(s: Tensor, t: Tensor, T: float) -> Tensor:
    """The teacher's exponentials divided by the student's sum."""
    target = (t / T).exp() / (s / T).exp().sum(-1, keepdim=True)
    return _kl_div((s / T).log_softmax(-1), target)


def _others() -> Iterator[Form]:
    yield Form(
        "bce(probs, probs)",
        Text("binary cross-entropy of two softmaxes", "两个 softmax 之间的二元交叉熵"),
        _bce,
        ("BCE-ON-SOFTMAX",),
    )
    yield Form(
        "bce_with_logits(probs, probs)",
        Text(
            "binary cross-entropy with logits, given a softmax", "把 softmax 当 logits 的二元交叉熵"
        ),
        _bce_logits,
        ("BCEWL-ON-PROBS",),
    )
    yield Form(
        "bce_with_logits(logits, probs)",
        Text(
            "sigmoid of the student against softmax of the teacher",
            "学生用 sigmoid、教师用 softmax",
        ),
        _bce_mixed,
        ("SIG/SOFTMAX-MIX",),
    )
    yield Form(
        "kl_div(teacher probs, student probs)",
        Text(
            "kl_div with the arguments reversed, both probabilities", "kl_div 两参数颠倒且均为概率"
        ),
        lambda s, t, T: _kl_div((t / T).softmax(-1), (s / T).softmax(-1)),
        ("ARGS-REVERSED",),
    )
    yield Form(
        "abs-pointwise",
        Text("sum of |p (log p - log q)|, an abs() inside", "Σ|p (log p - log q)|，内部有 abs()"),
        lambda s, t, T: _pointwise(s, t, T).abs().sum(-1),
        ("ABS/CLAMP-HIDES-NEGATIVE",),
    )
    yield Form(
        "clamp-pointwise",
        Text(
            "sum of max(0, p (log p - log q)), a clamp inside",
            "Σmax(0, p (log p - log q))，内部有 clamp",
        ),
        lambda s, t, T: _pointwise(s, t, T).clamp(min=0).sum(-1),
        ("ABS/CLAMP-HIDES-NEGATIVE",),
    )
    yield Form(
        "borrowed-norm",
        Text("teacher's exponentials over the student's sum", "教师的指数除以学生的和"),
        _borrowed_norm,
        ("COPYPASTE-NORM",),
    )
    yield Form(
        "borrowed-norm-detached",
        Text(
            "teacher's exponentials over the student's sum, detached",
            "教师的指数除以学生的和（已分离）",
        ),
        lambda s, t, T: _kl_div(
            (s / T).log_softmax(-1), ((t / T).exp() / (s / T).exp().sum(-1, keepdim=True)).detach()
        ),
        ("COPYPASTE-NORM",),
    )


FORMS: tuple[Form, ...] = (*FORMS_OF_PROBS, *_products(), *_others())
"""Every form, the right ones first."""
