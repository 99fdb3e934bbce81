"""The size of the gradient, and its direction."""

from __future__ import annotations

import torch

from didact._core.i18n import Text
from didact.probe.forms.fit import is_power, power_law
from didact.probe.inputs.inputs import Inputs
from didact.probe.judging.case import Case, Outcome, advises, breaks, holds, measured, skipped
from didact.probe.judging.law import law


@law(
    "temperature",
    title=Text("the temperature leaves the gradient's size alone", "温度不改变梯度大小"),
    maths=Text(
        "T^2 KL(softmax(t/T) || softmax(s/T)): its gradient keeps its size when T grows. Without "
        "T^2 it falls like T^-2.",
        "T^2 KL(softmax(t/T) || softmax(s/T))：T 增大时梯度大小不变；缺少 T^2 时按 T^-2 衰减。",
    ),
    meaning=Text(
        "T^-2: no T^2 factor; beside a hard term the teacher's share falls with every change of T. "
        "T^-1 or T^2: a wrong power. No power at all: T is used on one side, twice, or not.",
        "T^-2：缺少 T^2 因子，与硬标签项并用时教师份额随 T 下降。T^-1 或 T^2：幂次错误。"
        "不成幂律：T 只用在一侧、用了两次或没有用。",
    ),
)
def temperature(case: Case) -> Outcome:
    """The factor before the known form, or the norm for large T."""
    if not case.subject.has("temperature"):
        return _fixed(case)
    fit = case.exact
    if fit is not None and fit.temperature is not None and fit.form.power is not None:
        return breaks(
            f"the temperature has no effect: the loss is that of T = {fit.temperature:g}",
            f"温度不起作用：损失等于 T = {fit.temperature:g} 时的值",
            "T-UNUSED",
        )
    if fit is None or fit.form.power is None:
        return _asymptotic(case)
    if fit.power is None:
        listed = ", ".join(f"{f:.3g}" for f in fit.factors.values())
        return breaks(
            f"factor {listed} at T = 1, 2, 4, 8: no power of T",
            f"T = 1、2、4、8 时因子 {listed}：不是 T 的幂",
            "WEIGHT-TYPO",
            factors=fit.factors,
        )
    return _power(fit.power - fit.form.power, fit.form.power, case.alone)


_USUAL = 2
"""The power that is written before every distance, be it KL or not."""


def _power(exponent: float, due: int, alone: bool) -> Outcome:
    if is_power(exponent, 0):
        return holds("gradient ∝ T^0 for large T", "T 较大时梯度 ∝ T^0", exponent=0.0)
    if is_power(exponent, -due) and alone:
        return advises(
            f"gradient ∝ T^{exponent:.1f}: no T^{due} factor, which counts beside a label term",
            f"梯度 ∝ T^{exponent:.1f}：缺少 T^{due} 因子；与标签项并用时才有影响",
            "NO-T2",
            exponent=exponent,
        )
    if is_power(exponent, -due):
        return breaks(
            f"gradient ∝ T^{exponent:.1f}: no T^{due} factor",
            f"梯度 ∝ T^{exponent:.1f}：缺少 T^{due} 因子",
            "NO-T2",
            exponent=exponent,
        )
    if due != _USUAL and is_power(exponent, _USUAL - due):
        return advises(
            f"gradient ∝ T^{exponent:.1f}: T^{_USUAL}, which belongs to KL; T^{due} keeps its size",
            f"梯度 ∝ T^{exponent:.1f}：T^{_USUAL} 适用于 KL；此处 T^{due} 才能保持梯度大小",
            exponent=exponent,
        )
    return breaks(
        f"gradient ∝ T^{exponent:.1f}: the factor is T^{exponent + due:.1f}, T^{due} is due",
        f"梯度 ∝ T^{exponent:.1f}：因子为 T^{exponent + due:.1f}，应为 T^{due}",
        "T-POW1 / T²-TWICE",
        exponent=exponent,
    )


def _fixed(case: Case) -> Outcome:
    fit = case.exact
    if fit is None or fit.temperature is None:
        return skipped("the loss has no temperature", "该损失没有温度参数")
    held = case.subject.binding.held_temperature
    if held is not None:
        return measured(
            f"T = {held:g}, as given; factor {fit.factor:.4g}; leave T out to have it varied",
            f"T = {held:g}（给定值）；因子 {fit.factor:.4g}；不指定 T 时会变化温度",
            temperature=held,
        )
    return measured(
        f"T = {fit.temperature:g} is fixed inside; factor {fit.factor:.4g}",
        f"内部固定 T = {fit.temperature:g}；因子 {fit.factor:.4g}",
        temperature=fit.temperature,
    )


def _asymptotic(case: Case) -> Outcome:
    norms = {t: case.subject(case.inputs.having(temperature=t)).norm for t in (16.0, 32.0, 64.0)}
    power = power_law(norms)
    if power is None:
        return measured("the gradient's norm is no power of T", "梯度范数不是 T 的幂", norms=norms)
    return measured(
        f"gradient ∝ T^{power:.1f} for large T", f"T 较大时梯度 ∝ T^{power:.1f}", exponent=power
    )


@law(
    "direction",
    title=Text("which way the divergence runs", "散度的方向"),
    maths=Text(
        "KL(teacher || student) covers every mode of the teacher, "
        "KL(student || teacher) seeks one.",
        "KL(教师 || 学生) 覆盖教师的所有峰，KL(学生 || 教师) 只追一个峰。",
    ),
    meaning=Text(
        "Reverse KL is a choice (MiniLLM), or swapped arguments: the name of the loss tells.",
        "反向 KL 可以是有意选择（MiniLLM），也可能是参数写反：看损失的名字。",
    ),
    binds=(),
)
def direction(case: Case) -> Outcome:
    """A teacher with two peaks, a student that must choose one."""
    if case.exact is not None:
        return Outcome("measured", case.exact.name)
    if not case.subject.has("teacher"):
        return skipped("the loss has no teacher", "该损失没有教师输入")
    shape = case.inputs.student.shape
    peaks = torch.zeros(shape, dtype=torch.float64)
    peaks[..., :2] = 6.0
    wide, narrow = torch.zeros_like(peaks), torch.zeros_like(peaks)
    narrow[..., 0] = 6.0
    known = case.inputs.teacher.shape[-1]
    settings = {"teacher": peaks[..., :known], "temperature": 1.0}
    wide_value, narrow_value = (
        case.subject(case.inputs.having(student=s, **settings)).value for s in (wide, narrow)
    )
    values = wide_value, narrow_value
    if wide_value == narrow_value:
        return measured(
            f"wide and narrow student alike: {wide_value:.3g}",
            f"宽学生与窄学生相同：{wide_value:.3g}",
            wide=wide_value,
            narrow=narrow_value,
        )
    covers = values[0] < values[1]
    return measured(
        f"{'covers' if covers else 'seeks'} modes: wide "
        f"student {values[0]:.3g}, narrow {values[1]:.3g}",
        f"{'覆盖多峰' if covers else '追求单峰'}：宽学生 {values[0]:.3g}，窄学生 {values[1]:.3g}",
        wide=values[0],
        narrow=values[1],
    )


_SAMPLES = 4
"""Over which the cosine is averaged, which chance would turn on one."""


def _cosine(case: Case, inputs: Inputs) -> float:
    """Of the loss's gradient and that of the right loss."""
    student, teacher = inputs.shared(inputs.student), inputs.shared(inputs.teacher)
    right = torch.zeros_like(inputs.student)
    right[..., : student.shape[-1]] = student.softmax(-1) - teacher.softmax(-1)
    gradient = case.subject(inputs).gradient
    size = float(gradient.norm() * right.norm())
    return float((gradient * right).sum()) / size if size else 0.0


@law(
    "sign",
    title=Text("a step against the gradient moves towards the teacher", "沿负梯度走一步更接近教师"),
    maths=Text(
        "The angle between -dL/ds and -d KL(t || s)/ds is less than 90 degrees.",
        "-dL/ds 与 -dKL(t || s)/ds 的夹角小于 90 度。",
    ),
    meaning=Text(
        "The loss is minimised by being unlike the teacher: a lost minus, an abs() over a negative "
        "value, log-probabilities as target.",
        "越不像教师损失越小：丢了负号、对负值取 abs()、目标用了对数概率。",
    ),
    binds=("divergence", "match"),
)
def sign(case: Case) -> Outcome:
    """The cosine with the gradient of the right loss, near agreement and far from it."""
    if not case.subject.has("teacher"):
        return skipped("the loss has no teacher", "该损失没有教师输入")
    samples = [case.make(seed=seed) for seed in range(_SAMPLES)]
    near = [i.having(student=i.agreeing_student + 0.1 * i.student) for i in samples]
    cosines = [sum(_cosine(case, i) for i in each) / _SAMPLES for each in (near, samples)]
    text = f"cosine with the right gradient {cosines[0]:.2f} near agreement, {cosines[1]:.2f} far"
    chinese = f"与正确梯度的余弦：接近一致处 {cosines[0]:.2f}，远处 {cosines[1]:.2f}"
    if min(cosines) > 0:
        return holds(text, chinese, cosines=cosines)
    if min(cosines) <= -0.1 and (max(cosines) < 0.1 or cosines[0] < -0.1):
        return breaks(text, chinese, cosines=cosines)
    return measured(text, chinese, cosines=cosines)
