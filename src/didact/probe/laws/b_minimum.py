"""Where the loss is least: at the teacher."""

from __future__ import annotations

import math

from didact._core.i18n import Text
from didact.probe.judging.case import Case, Outcome, advises, breaks, holds, measured, skipped
from didact.probe.judging.law import law
from didact.probe.judging.minimise import minimise

_REACHED = 5e-3
"""A difference of probabilities that descent may leave, with its bounded number of steps."""


def _constant(case: Case) -> bool:
    """Whether the value is a cross-entropy, off by what depends on the teacher alone."""
    fit = case.exact
    if fit is None or case.declared:
        return False
    return fit.at_cross_entropy or fit.form.key == "bce"


@law(
    "zero-at-teacher",
    title=Text("zero where student = teacher", "学生 = 教师时为零"),
    maths=Text("L(t, t) = 0 for every t.", "对任意 t，L(t, t) = 0。"),
    meaning=Text(
        "A cross-entropy to soft targets stays at the "
        "teacher's entropy: its gradient is right, its "
        "value cannot be read as a distance. Anything else compares unlike things.",
        "对软目标的交叉熵会停在教师的熵：梯度正确，但数值不能当距离看。其他情况说明比较了不同性质的量。",
    ),
    binds=("divergence", "match"),
    logits=False,
)
def zero_at_teacher(case: Case) -> Outcome:
    """The value at equality, against the value elsewhere."""
    equal = case.inputs.having(teacher=case.inputs.agreeing_teacher)
    value = case.subject(equal).value
    size = max(abs(case.here.value), 1e-12) if math.isfinite(case.here.value) else 1.0
    if abs(value) <= 10 * case.tolerance * size:
        return holds(f"L(t, t) = {value:.1e}", f"L(t, t) = {value:.1e}", value=value)
    if _constant(case):
        return measured(
            f"L(t, t) = {value:.4g}, the teacher's entropy times the factor of the loss: a "
            "cross-entropy, with KL's gradient",
            f"L(t, t) = {value:.4g}，为教师的熵乘以损失的系数：这是交叉熵，梯度与 KL 相同",
            value=value,
        )
    others = [case.subject(case.make(seed=s)).value for s in (1, 2)]
    if case.kind == "match" and value > max([case.here.value, *others]):
        return breaks(
            f"L(t, t) = {value:.4g}, more than elsewhere ({case.here.value:.4g})",
            f"L(t, t) = {value:.4g}，比别处（{case.here.value:.4g}）更大",
            "SIGN-MISSING",
            value=value,
        )
    return breaks(
        f"L(t, t) = {value:.4g}; L elsewhere {case.here.value:.4g}",
        f"L(t, t) = {value:.4g}；别处 L = {case.here.value:.4g}",
        value=value,
    )


@law(
    "stationary-at-teacher",
    title=Text("zero gradient where student = teacher", "学生 = 教师时梯度为零"),
    maths=Text("dL/ds = 0 at s = t.", "s = t 处 dL/ds = 0。"),
    meaning=Text(
        "A student that equals its teacher is pushed away from it: a temperature on one side, "
        "probabilities where logs belong, arguments of the wrong kind.",
        "已与教师一致的学生仍被推开：温度只用在一侧、该取对数却用了概率、参数种类不对。",
    ),
    logits=False,
)
def stationary_at_teacher(case: Case) -> Outcome:
    """The gradient at equality, relative to that elsewhere."""
    equal = case.inputs.having(teacher=case.inputs.agreeing_teacher)
    ratio = case.subject(equal).norm / case.here.norm
    if ratio <= 10 * case.tolerance:
        return holds(f"relative gradient {ratio:.1e}", f"相对梯度 {ratio:.1e}", ratio=ratio)
    text = f"the gradient at s = t is {ratio:.3g} of that elsewhere"
    chinese = f"s = t 处的梯度是别处的 {ratio:.3g} 倍"
    if case.exact is not None and case.exact.form.key == "total-variation":
        return advises(text + ": a kink", chinese + "：是尖点", ratio=ratio)
    return breaks(text, chinese, ratio=ratio)


@law(
    "non-negative",
    title=Text("never negative", "非负"),
    maths=Text("L(s, t) >= 0 for every s and t.", "对任意 s、t，L(s, t) ≥ 0。"),
    meaning=Text(
        "KL is negative only where a side is no distribution: `kl_div` got probabilities or raw "
        "logits as input, or a slice of a softmax that does not add up to 1.",
        "只有某一侧不是概率分布时 KL 才为负：`kl_div` 的输入是概率或原始 logits，"
        "或是截取后和不为 1 的 softmax。",
    ),
    binds=("divergence", "match"),
    logits=False,
)
def non_negative(case: Case) -> Outcome:
    """Eight inputs of several scales."""
    values = [
        case.subject(case.make(seed=s, scale=scale)).value
        for s in (0, 1)
        for scale in (0.1, 1, 3, 9)
    ]
    numbers = [v for v in values if math.isfinite(v)]
    if not numbers:
        return skipped("no value is finite", "没有有限的值")
    least, size = min(numbers), max(map(abs, numbers))
    if least >= -case.tolerance * size:
        return holds(f"least of 8: {least:.3g}", f"8 组中最小 {least:.3g}", least=least)
    return breaks(f"least of 8: {least:.4g}", f"8 组中最小 {least:.4g}", least=least)


@law(
    "minimiser",
    title=Text("the minimiser is the teacher's distribution", "极小点就是教师的分布"),
    maths=Text(
        "argmin over q of L(q, t) = softmax(t), found by descent with few classes in float64.",
        "在少量类别、float64 下用优化求得 argmin_q L(q, t) = softmax(t)。",
    ),
    meaning=Text(
        "Training to the end gives another distribution"
        " than the teacher's: a one-hot (probabilities "
        "as input of kl_div), a flatter or sharper one"
        " (temperature on one side), none (unbounded).",
        "训练到底得到的不是教师的分布：one-hot（kl_div 输入为概率）、更平或更尖（温度只在一侧）、"
        "或不存在（无下界）。",
    ),
)
def minimiser(case: Case) -> Outcome:
    """Descend, and look at what is reached."""
    if not case.subject.has("teacher"):
        return skipped("no teacher's logits to reach", "没有教师 logits 可比较")
    minimum = minimise(case)
    student, teacher = _row(minimum.student), _row(minimum.teacher)
    sides = f"student {student} teacher {teacher}"
    chinese = f"学生 {student} 教师 {teacher}"
    numbers = {"student": minimum.student, "teacher": minimum.teacher, "gap": minimum.gap}
    if minimum.gap < _REACHED:
        return holds(sides, chinese, **numbers)
    if minimum.lower is False:
        return measured(
            f"{sides}: another distribution, with no lower value than at the teacher",
            f"{chinese}：分布不同，但值不低于教师处",
            **numbers,
        )
    return breaks(sides, chinese, **numbers)


def _row(probs: list[float]) -> str:
    more = " ..." if len(probs) > _SHOWN else ""
    return "[" + " ".join(f"{p:.3f}" for p in probs[:_SHOWN]) + more + "]"


_SHOWN = 8
