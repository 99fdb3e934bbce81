"""From broken laws and the best known form to the kinds of mistakes that do that."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from didact._core.i18n import Text
from didact.probe.forms.fit import Fit, is_power
from didact.probe.forms.mistakes import MISTAKES, Mistake
from didact.probe.judging.case import Case, Outcome

_HIDES = {"KL-INPUT-PROBS", "KL-INPUT-RAW"}


def diagnose(case: Case, outcomes: Mapping[str, Outcome]) -> list[Mistake]:
    """Every kind of mistake that is pointed to, the most telling first."""
    keys: list[str] = []
    fit = case.exact
    if fit is not None:
        keys += fit.form.mistakes
        if fit.factor < 0:
            keys.append("ABS/CLAMP-HIDES-NEGATIVE" if _HIDES & set(keys) else "SIGN-MISSING")
    elif case.fit is None and not bool(torch.isfinite(case.here.gradient).any()):
        keys.append("ARGS-REVERSED")
    for state in ("broken", "advice"):
        for outcome in outcomes.values():
            keys += outcome.mistakes if outcome.state == state else ()
    return [MISTAKES[key] for key in dict.fromkeys(keys)]


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
    if not fit.exact:
        return Text(
            f"no known form; the nearest is {fit.name.en}, which leaves {fit.residual:.2g} of "
            "the gradient unexplained",
            f"不是已知形式；最接近的是{fit.name.zh}，梯度中有 {fit.residual:.2g} 无法解释",
        )
    factor = _factor(case, fit, outcomes)
    if fit.at_cross_entropy and fit.form.key.endswith("kl"):
        extra = Text(
            " (as a cross-entropy: the value differs by the entropy)",
            "（以交叉熵形式：数值相差一个熵）",
        )
    else:
        extra = Text("", "")
    at = "" if fit.temperature is None else f", T = {fit.temperature:.4g}"
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
    if not is_power(power, 0):
        sizes = case.subject.binding.sizes
        number /= (sizes.old or sizes.classes) ** power
        words += f"C^{power:.3g} x "
    text = f"{number:.4g} x {words}"
    return Text(text, text.replace(" x ", " × "))
