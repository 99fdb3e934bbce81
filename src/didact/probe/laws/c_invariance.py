"""What must change nothing: constants, the order and number of classes, the other samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.errors import reason_of
from didact.probe.forms.fit import is_power, power_law
from didact.probe.inputs.changes import permuted, unwidened, widened
from didact.probe.inputs.inputs import Inputs
from didact.probe.judging.case import Case, Outcome, advises, breaks, holds, measured, skipped
from didact.probe.judging.law import law


def _constants(inputs: Inputs) -> Tensor:
    return torch.linspace(-3, 5, inputs.student[..., :1].numel()).reshape(
        inputs.student[..., :1].shape
    )


def _compared(case: Case, changed: Inputs, what: str, chinese: str) -> Outcome:
    moved, here = case.subject(changed), case.here
    gap = case.distance(moved, here)
    rise = abs(moved.value - here.value) / max(abs(here.value), 1e-300)
    if gap > 10 * case.tolerance or rise > 10 * case.tolerance:
        return breaks(
            f"{what} changes the gradient by {gap:.3g}, the value by {rise:.3g}",
            f"{chinese}使梯度变化 {gap:.3g}，值变化 {rise:.3g}",
            gap=gap,
            rise=rise,
        )
    return holds(f"gradient changes by {gap:.1e}", f"梯度变化 {gap:.1e}", gap=gap)


@law(
    "student-shift",
    title=Text(
        "blind to a constant added to the student's logits", "给学生 logits 加常数，结果不变"
    ),
    maths=Text(
        "L(s + c, t) = L(s, t) for a constant c of each sample.",
        "对每个样本的常数 c，L(s + c, t) = L(s, t)。",
    ),
    meaning=Text(
        "The student's logits reach the loss without a softmax over the classes.",
        "学生 logits 未经类别维 softmax 就进入了损失。",
    ),
)
def student_shift(case: Case) -> Outcome:
    """Another constant for each sample."""
    moved = case.inputs.having(student=case.inputs.student + _constants(case.inputs))
    return _compared(case, moved, "a constant on the student", "给学生加常数")


@law(
    "teacher-shift",
    title=Text(
        "blind to a constant added to the teacher's logits", "给教师 logits 加常数，结果不变"
    ),
    maths=Text(
        "L(s, t + c) = L(s, t) for a constant c of each sample.",
        "对每个样本的常数 c，L(s, t + c) = L(s, t)。",
    ),
    meaning=Text(
        "The teacher's logits reach the loss without a softmax over the classes.",
        "教师 logits 未经类别维 softmax 就进入了损失。",
    ),
)
def teacher_shift(case: Case) -> Outcome:
    """Another constant for each sample."""
    moved = case.inputs.having(teacher=case.inputs.teacher + _constants(case.inputs))
    return _compared(case, moved, "a constant on the teacher", "给教师加常数")


@law(
    "class-permutation",
    title=Text("the order of the classes does not matter", "与类别顺序无关"),
    maths=Text(
        "L(Ps, Pt) = L(s, t) for every permutation P of the classes.",
        "对类别的任意置换 P，L(Ps, Pt) = L(s, t)。",
    ),
    meaning=Text(
        "Classes are treated differently: a slice, a head of its own, a weight for each class.",
        "不同类别被区别对待：切片、各自的分类头、逐类权重。",
    ),
)
def class_permutation(case: Case) -> Outcome:
    """The classes rolled by two."""
    inputs = case.inputs
    changed, order = permuted(inputs)
    gradient = case.subject(changed).gradient
    gap = float((gradient - case.here.gradient[..., order]).norm()) / case.here.norm
    if gap <= 10 * case.tolerance:
        return holds(f"gradient changes by {gap:.1e}", f"梯度变化 {gap:.1e}", gap=gap)
    if case.subject.binding.given:
        names = ", ".join(case.subject.binding.given)
        return measured(
            f"classes count differently (gap {gap:.3g}); {names} may number them",
            f"类别被区别对待（差 {gap:.3g}）；可能由 {names} 指定",
            gap=gap,
        )
    return breaks(f"gradient changes by {gap:.3g}", f"梯度变化 {gap:.3g}", gap=gap)


@law(
    "class-count",
    title=Text("classes of probability 0 change nothing", "概率为 0 的类别不改变结果"),
    maths=Text(
        "Classes with a logit of -10000 on both sides leave value and gradient alone; with them "
        "the gradient is proportional to C^0.",
        "两侧 logit 均为 -10000 的类别不改变值与梯度，即梯度 ∝ C^0。",
    ),
    meaning=Text(
        "C^-1 is `reduction='mean'` or `.mean()` over classes: the term is C times too weak, and "
        "its weight means something else for each data set.",
        "C^-1 即 `reduction='mean'` 或对类别取 "
        "`.mean()`：该项弱了 C 倍，且权重的含义随数据集而变。",
    ),
)
def class_count(case: Case) -> Outcome:
    """Two and four times as many classes."""
    inputs, here = case.inputs, case.here.gradient
    if case.subject.binding.sizes.fixed:
        count = inputs.classes
        return skipped(f"made for {count} classes alone", f"只适用于 {count} 类")
    ratios = {1.0: 1.0}
    for times in (2, 4):
        try:
            gradient = case.subject(widened(inputs, times * inputs.classes)).gradient
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            reason = reason_of(error)
            return skipped(f"more classes are refused: {reason.en}", f"不接受更多类别：{reason.zh}")
        ratios[float(times)] = _ratio(unwidened(gradient, inputs), here)
    power = power_law(ratios)
    worst = max(abs(r - 1) for r in ratios.values())
    if worst <= 100 * case.tolerance:
        return holds("gradient ∝ C^0", "梯度 ∝ C^0", exponent=0.0)
    if power is None or case.exact is None:
        listed = ", ".join(f"{r:.3g}" for r in ratios.values())
        return measured(
            f"gradient x {listed} for 1, 2, 4 times the classes: no known form",
            f"类别数为 1、2、4 倍时梯度 × {listed}：不是已知形式",
            ratios=list(ratios.values()),
        )
    if case.exact.form.kind != "divergence":
        return measured(f"gradient ∝ C^{power:.1f}", f"梯度 ∝ C^{power:.1f}", exponent=power)
    mistakes: tuple[str, ...] = ()
    made_good = _made_good(case, power)
    if made_good is not None:
        return advises(
            f"gradient ∝ C^{power:.1f}, which a factor of {made_good:.4g} makes good for "
            f"{made_good:.4g} classes alone",
            f"梯度 ∝ C^{power:.1f}；因子 {made_good:.4g} 只对 {made_good:.4g} 类恰好抵消",
            "CLASS-MEAN",
            exponent=power,
        )
    if is_power(power, -1):
        of_kl = case.exact.form.key.endswith("-kl")
        mistakes = ("KL-MEAN", "CLASS-MEAN") if of_kl else ("CLASS-MEAN",)
    choice = case.exact.form.key.startswith("mse") or not is_power(power, -1)
    said = advises if choice and not case.declared else breaks
    return said(f"gradient ∝ C^{power:.1f}", f"梯度 ∝ C^{power:.1f}", *mistakes, exponent=power)


def _made_good(case: Case, power: float) -> float | None:
    """A constant of 10 or more before a mean over the classes: the number of the author's own."""
    fit = case.exact
    if fit is None or fit.power is None or not is_power(power, -1) or case.declared:
        return None
    sizes = case.subject.binding.sizes
    factor = fit.factor / 4.0**fit.power * (sizes.old or sizes.classes)
    if case.subject.has("weight"):
        factor /= case.inputs.weight
    whole = round(factor)
    return float(whole) if whole >= _TEN and abs(factor - whole) < 1e-3 * whole else None


_TEN = 10


def _ratio(gradient: Tensor, base: Tensor) -> float:
    return float((gradient * base).sum() / (base * base).sum())


@law(
    "class-dimension",
    title=Text("distributions run over the classes", "分布沿类别维"),
    maths=Text(
        "The gradient of each sample adds up to 0 over the classes and depends on no other sample.",
        "每个样本的梯度沿类别求和为 0，且不依赖其他样本。",
    ),
    meaning=Text(
        "If it adds up to 0 over the batch (or the positions) instead, the softmax runs over the "
        "wrong dimension.",
        "若沿批次（或位置）求和才为 0，则 softmax 沿了错误的维度。",
    ),
)
def class_dimension(case: Case) -> Outcome:
    """Which sums of the gradient vanish."""
    gradient = case.here.gradient
    sums = {d: float(gradient.sum(d).norm()) / case.here.norm for d in range(gradient.dim())}
    last = gradient.dim() - 1
    tolerance = 100 * case.tolerance
    if sums[last] <= tolerance:
        note = "; [C, B] gives the same value" if _blind(case) else ""
        chinese = "；用 [C, B] 值不变" if note else ""
        return holds(
            f"sums to {sums[last]:.0e} over the classes{note}",
            f"沿类别求和 {sums[last]:.0e}{chinese}",
            sums=sums,
        )
    wrong = [d for d in range(last) if sums[d] <= tolerance]
    if wrong:
        mistake = "DIM-0" if wrong[0] == 0 else "DIM-SEQ"
        meant = case.exact is not None and case.exact.form.right  # as a channel-wise KL
        return breaks(
            f"sums to 0 over dimension {wrong[0]}, not over the classes",
            f"沿第 {wrong[0]} 维求和为 0，而不是沿类别维",
            *(() if meant else (mistake,)),
            sums=sums,
        )
    return breaks(
        f"sums to {sums[last]:.3g} of its norm over the classes",
        f"沿类别求和为范数的 {sums[last]:.3g}",
        sums=sums,
    )


def _blind(case: Case) -> bool:
    """Whether transposed inputs give the same value, so that the shape cannot be told from it."""
    inputs = case.inputs
    if inputs.student.dim() != 2 or case.subject.label_form is not None:
        return False
    turned = inputs.having(student=inputs.student.T, teacher=inputs.teacher.T)
    try:
        value = case.subject.whole(turned).value
    except Exception:  # noqa: BLE001 - the user's code may raise anything
        return False
    return math.isclose(value, case.here.value, rel_tol=1e-6)
