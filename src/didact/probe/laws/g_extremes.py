"""Very large logits and half precision."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Literal

import torch

from didact._core.i18n import Text
from didact.probe.errors import reason_of
from didact.probe.forms.evaluation import Evaluation
from didact.probe.judging.case import Case, Outcome, advises, breaks, holds, skipped
from didact.probe.judging.law import law

_HALVES = (torch.float16, torch.bfloat16)
_SIZES = (20.0, 1e4)
_Verdict = Literal["not finite", "too large", "refused"]


def _at(case: Case, dtype: torch.dtype, scale: float) -> Evaluation:
    """Value and gradient in a precision, for logits of one size and either sign."""
    binding = dataclasses.replace(case.subject.binding, dtype=dtype)
    subject = dataclasses.replace(case.subject, binding=binding, label_form=None)
    inputs = case.make(seed=4)
    signs = torch.where(inputs.student > 0, 1.0, -1.0), torch.where(inputs.teacher > 0, 1.0, -1.0)
    return subject(inputs.having(student=scale * signs[0], teacher=scale * signs[1]))


@law(
    "large-logits",
    title=Text("logits of ±10000 in float32", "float32 下 ±10000 的 logits"),
    maths=Text(
        "log_softmax(x) = x - logsumexp(x) never underflows; log(softmax(x)) is log(0).",
        "log_softmax(x) = x - logsumexp(x) 不会下溢；log(softmax(x)) 会得到 log(0)。",
    ),
    meaning=Text(
        "The logarithm is taken of a softmax: -inf or "
        "NaN once a logit falls 104 below the largest.",
        "对 softmax 再取对数：某 logit 比最大值低 104 时即得 -inf 或 NaN。",
    ),
    binds=("divergence", "match"),
)
def large_logits(case: Case) -> Outcome:
    """Signs of a normal sample, times 10000 and times 200."""
    if not case.subject.binding.of_raw_logits:
        return skipped("the loss takes no logits", "此损失的输入不是 logits")
    for scale in (200.0, 1e4):
        evaluation = _at(case, torch.float32, scale)
        if not evaluation.finite:
            mistakes = ("LOG-OF-SOFTMAX",) if _distribution(case) else ()
            return _said(case)(
                f"at ±{scale:g} {_part(evaluation).en}",
                f"±{scale:g} 时{_part(evaluation).zh}",
                *mistakes,
                scale=scale,
            )
    return holds("value and gradient are finite", "值与梯度均有限")


def _part(evaluation: Evaluation) -> Text:
    """What is no number: the value, or the gradient alone."""
    if math.isfinite(evaluation.value):
        return Text("the gradient is not finite", "梯度不是有限数")
    return Text(f"the value is {evaluation.value:g}", f"值为 {evaluation.value:g}")


def _said(case: Case) -> Callable[..., Outcome]:
    """Logits of that size are rare: it counts if the user has said what the loss must obey."""
    return breaks if case.declared else advises


def _distribution(case: Case) -> bool:
    return math.isfinite(case.here.value) and case.fit is not None and not _wrong_space(case)


def _wrong_space(case: Case) -> bool:
    """Whether the form has a mistake of its own that explains it."""
    return case.exact is not None and bool(case.exact.form.mistakes)


@law(
    "half-precision",
    title=Text("logits of ±20 and ±10000 in half precision", "半精度下 ±20 与 ±10000 的 logits"),
    maths=Text(
        "Value and gradient are finite in float16 and in bfloat16. A value beyond the largest "
        "float16, 65504, with a finite gradient is advice only.",
        "在 float16 与 bfloat16 下值与梯度均有限。"
        "仅值超出 float16 上限 65504 而梯度有限时，只作建议。",
    ),
    meaning=Text(
        "float16 underflows below 6e-8, 17 below the largest logit, and 1e-8 is 0 in it: take "
        "log_softmax, and compute the loss in float32.",
        "float16 小于 6e-8 即下溢（比最大 logit 低 17），1e-8 在其中就是 0："
        "请用 log_softmax，并在 float32 下计算损失。",
    ),
    binds=("divergence", "match"),
)
def half_precision(case: Case) -> Outcome:
    """Both half precisions, at an ordinary size and at the largest."""
    if not case.subject.binding.of_raw_logits:
        return skipped("the loss takes no logits", "此损失的输入不是 logits")
    bad: list[tuple[_Verdict, Text]] = []
    for dtype in _HALVES:
        for scale in _SIZES:
            verdict = _in_half(case, dtype, scale)
            if verdict is not None:
                bad.append(verdict)
                break
    if not bad:
        return holds("value and gradient are finite", "值与梯度均有限")
    text, chinese = "; ".join(t.en for _, t in bad), "；".join(t.zh for _, t in bad)
    if any(v == "not finite" for v, _ in bad):
        return _said(case)(text, chinese, half=[v for v, _ in bad])
    return advises(text, chinese, half=[v for v, _ in bad])


def _in_half(case: Case, dtype: torch.dtype, scale: float) -> tuple[_Verdict, Text] | None:
    name = str(dtype).removeprefix("torch.")
    try:
        evaluation = _at(case, dtype, scale)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        reason = reason_of(error)
        said = Text(f"{name} is refused: {reason.en}", f"不接受 {name}：{reason.zh}")
        return "refused", said
    if evaluation.finite:
        return None
    exact = _at(case, case.subject.binding.dtype, scale)
    most = torch.finfo(dtype).max
    largest = max(abs(exact.value), float(exact.gradient.abs().max()))
    summed = math.isinf(evaluation.value) and bool(torch.isfinite(evaluation.gradient).all())
    if exact.finite and (largest > most or (summed and scale * scale > most)):
        return "too large", Text(
            f"{name} at ±{scale:g}: a number is beyond its largest, {most:g}; compute the loss in "
            "float32",
            f"{name} 在 ±{scale:g} 时有数值超出其上限 {most:g}；请在 float32 下计算损失",
        )
    return "not finite", Text(
        f"{name} at ±{scale:g}: {_part(evaluation).en}",
        f"{name} 在 ±{scale:g} 时{_part(evaluation).zh}",
    )
