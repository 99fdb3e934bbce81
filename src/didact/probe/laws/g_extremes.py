"""Very large logits and half precision."""

from __future__ import annotations

import dataclasses
import math

import torch

from didact._core.i18n import Text
from didact.probe._case import Case, Outcome, advises, breaks, holds
from didact.probe._law import law


def _finite_in(case: Case, dtype: torch.dtype, scale: float) -> tuple[bool, float]:
    """Whether value and gradient are finite in a precision, with logits of one size."""
    binding = dataclasses.replace(case.subject.binding, dtype=dtype)
    subject = dataclasses.replace(case.subject, binding=binding, label_form=None)
    inputs = case.make(seed=4)
    signs = torch.where(inputs.student > 0, 1.0, -1.0), torch.where(inputs.teacher > 0, 1.0, -1.0)
    found = subject(inputs.having(student=scale * signs[0], teacher=scale * signs[1]))
    return found.finite, found.value


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
)
def large_logits(case: Case) -> Outcome:
    """Signs of a normal sample, times 10000 and times 200."""
    for scale in (200.0, 1e4):
        finite, value = _finite_in(case, torch.float32, scale)
        if not finite:
            mistakes = ("LOG-OF-SOFTMAX",) if _distribution(case) else ()
            return breaks(
                f"not finite at ±{scale:g}: value {value:.3g}",
                f"±{scale:g} 时不是有限数：值 {value:.3g}",
                *mistakes,
                scale=scale,
            )
    return holds("value and gradient are finite", "值与梯度均有限")


def _distribution(case: Case) -> bool:
    return math.isfinite(case.here.value) and case.fit is not None and not _wrong_space(case)


def _wrong_space(case: Case) -> bool:
    """Whether the form has a mistake of its own that explains it."""
    return case.exact is not None and bool(case.exact.form.mistakes)


@law(
    "half-precision",
    title=Text("float16 and bfloat16", "float16 与 bfloat16"),
    maths=Text(
        "With logits of ±20 value and gradient are finite in both half precisions.",
        "logits 为 ±20 时，两种半精度下值与梯度均有限。",
    ),
    meaning=Text(
        "float16 underflows below 6e-8, 17 below the largest logit: compute the loss in float32.",
        "float16 小于 6e-8 即下溢（比最大 logit 低 17）：请在 float32 下计算损失。",
    ),
    binds=(),
)
def half_precision(case: Case) -> Outcome:
    """Both half precisions."""
    bad = []
    for dtype in (torch.float16, torch.bfloat16):
        try:
            finite, _ = _finite_in(case, dtype, 20.0)
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            bad.append(f"{str(dtype)[6:]}: {type(error).__name__}")
            continue
        if not finite:
            bad.append(f"{str(dtype)[6:]}: not finite")
    if not bad:
        return holds("value and gradient are finite", "值与梯度均有限")
    return advises("; ".join(bad), "；".join(bad), half=bad)
