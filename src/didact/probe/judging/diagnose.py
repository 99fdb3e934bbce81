"""From broken laws and the best known form to the kinds of mistakes that do that."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from didact._core.i18n import Text
from didact.probe.forms.fit import Fit, is_power
from didact.probe.forms.wrong import REVERSED
from didact.probe.judging.case import Case, Outcome

_NEAR = 0.5
"""The share of the gradient that the nearest form may leave over and still be called near."""
_HIDES = {"KL-INPUT-PROBS", "KL-INPUT-RAW"}


def diagnose(case: Case, outcomes: Mapping[str, Outcome]) -> dict[str, Text]:
    """Every kind of mistake that is pointed to, the most telling first, and what points to it."""
    evidence: dict[str, Text] = {}
    fit = case.exact
    if fit is not None:
        matched = _MATCHED.format(form=fit.name, residual=f"{fit.residual:.0e}")
        keys = [k for k in fit.form.mistakes if not (k == "SWAPPED" and _says_reverse(case))]
        if fit.form.key == REVERSED and fit.value_gap is None:  # a logarithm of raw logits
            keys = ["KL-INPUT-PROBS", "KL-TARGET-RAW"]
        if fit.factor < 0:
            hidden = _HIDES & set(keys) and outcomes["non-negative"].state != "broken"
            keys.append("ABS/CLAMP-HIDES-NEGATIVE" if hidden else "SIGN-MISSING")
        evidence |= dict.fromkeys(keys, matched)
    elif case.fit is None and case.may_accuse("finite") and _no_number(case):
        evidence["ARGS-REVERSED"] = _NO_GRADIENT
    for state in ("broken", "advice"):
        for law, outcome in outcomes.items():
            for key in outcome.mistakes if outcome.state == state else ():
                evidence.setdefault(key, _LAW.format(law=law, text=outcome.text))
    return evidence


_MATCHED = Text(
    "the gradient is that of {form}; residual {residual}, on three sets of inputs",
    "梯度与“{form}”一致；三组输入上残差 {residual}",
)
_NO_GRADIENT = Text("no part of the gradient is a number", "梯度没有任何有限分量")
_LAW = Text("the law {law}: {text}", "定律 {law}：{text}")


def _no_number(case: Case) -> bool:
    """Whether there is a gradient, and no part of it is a number: a cut graph has none.

    At a temperature of 0 that the user gave every loss is so.
    """
    gradient = case.here.gradient
    finite = torch.isfinite(gradient)
    divided = case.subject.binding.held_temperature == 0
    return (
        case.here.connected
        and not divided
        and not bool(finite.all() | (finite & (gradient != 0)).any())
    )


def _says_reverse(case: Case) -> bool:
    """Whether the loss is called reverse, so that its direction is meant."""
    source = case.subject.binding.target.source
    name = getattr(source, "__qualname__", type(source).__qualname__).lower()
    return any(word in name for word in ("reverse", "rkl", "backward", "minillm"))


def best_match(case: Case, outcomes: Mapping[str, Outcome]) -> Text:
    """The best known form with its factor and residual."""
    fit = case.fit
    if not case.of_logits:
        return Text(
            "the loss takes features, which no known form does",
            "此损失的输入是特征，不与已知形式比较",
        )
    if not (case.subject.has("teacher") or case.subject.has("teacher_model")):
        return Text("the loss has no teacher to compare with", "此损失没有教师，无从比较")
    if fit is None:
        return Text(
            "no known form: there is no gradient to compare", "没有可比较的梯度，无法匹配已知形式"
        )
    if not fit.exact and fit.residual > _NEAR:
        return Text(
            "no known form: none explains half of the gradient",
            "不是已知形式：没有一种形式能解释一半的梯度",
        )
    if not fit.exact:
        return Text(
            f"no known form; the nearest is {fit.name.en}, which leaves {fit.residual:.2g} of "
            "the gradient unexplained",
            f"不是已知形式；最接近的是“{fit.name.zh}”，但梯度中有 {fit.residual:.2g} 无法解释",
        )
    factor = _factor(case, fit, outcomes)
    if fit.at_cross_entropy and fit.form.key.endswith("kl"):
        extra = Text(
            " (as a cross-entropy: the value differs by the entropy)",
            "（以交叉熵形式：数值相差一个熵）",
        )
    else:
        extra = Text("", "")
    said = "" if fit.temperature is None else f"T = {fit.temperature:.4g}"
    at = Text(*(comma + said if said else "" for comma in (", ", "，")))
    return Text(
        "{factor}{form}{at}{extra}; residual {residual}",
        "{factor}{form}{at}{extra}；残差 {residual}",
    ).format(factor=factor, form=fit.name, at=at, extra=extra, residual=f"{fit.residual:.1e}")


def _factor(case: Case, fit: Fit, outcomes: Mapping[str, Outcome]) -> Text:
    """The number, and what it is a power of."""
    number, words = fit.factor, ""
    if fit.power is not None and not is_power(fit.power, 0):
        number /= 4.0**fit.power
        words += f"T^{fit.power:.3g} x "
    over = outcomes.get("class-count")
    power = float(over.numbers.get("exponent", 0.0)) if over is not None else 0.0
    if not is_power(power, 0) and is_power(2 * power, round(2 * power)):
        sizes = case.subject.binding.sizes
        number /= (sizes.old or sizes.classes) ** power
        words += f"C^{power:.3g} x "
    text = f"{number:.4g} x {words}"
    return Text(text, text.replace(" x ", " × "))
