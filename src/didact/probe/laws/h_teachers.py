"""Several teachers."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.probe.forms.fit import is_power, power_law
from didact.probe.judging.case import Case, Outcome, breaks, holds, measured, skipped
from didact.probe.judging.law import law


@law(
    "teacher-count",
    title=Text("equal teachers count as one", "相同的多个教师等于一个"),
    maths=Text(
        "L(s, [t, t, t]) = L(s, [t]): gradient proportional to K^0.",
        "L(s, [t, t, t]) = L(s, [t])：梯度 ∝ K^0。",
    ),
    meaning=Text(
        "A sum over K teachers without 1/K: every added teacher makes the term stronger.",
        "对 K 个教师求和而没有除以 K：每加一个教师该项就更强。",
    ),
)
def teacher_count(case: Case) -> Outcome:
    """Two, four and eight copies of one teacher."""
    if case.subject.binding.layout != "teachers":
        return skipped("one teacher", "只有一个教师")
    norms = {}
    for copies in (2, 4, 8):
        try:
            norms[float(copies)] = case.subject(case.inputs.having(copies=copies)).norm
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            name = type(error).__name__
            return skipped(
                f"other numbers of teachers are refused ({name})", f"不接受其他教师数（{name}）"
            )
    power = power_law(norms)
    if power is None:
        return measured("the gradient is no power of K", "梯度不是 K 的幂", norms=norms)
    if abs(power) < 0.02:
        return holds("gradient ∝ K^0", "梯度 ∝ K^0", exponent=0.0)
    mistakes = ("MULTI-TEACHER-SUM",) if is_power(power, 1) else ()
    return breaks(f"gradient ∝ K^{power:.1f}", f"梯度 ∝ K^{power:.1f}", *mistakes, exponent=power)


@law(
    "teacher-average",
    title=Text("what is averaged over teachers", "对教师平均的是什么"),
    maths=Text(
        "The mean of probabilities keeps every teacher's opinion; the mean of logits is a "
        "geometric mean, which each teacher can veto.",
        "概率的平均保留每个教师的意见；logits 的平均是几何平均，任一教师都可否决。",
    ),
    meaning=Text("Neither is wrong: choose on purpose.", "两者都不算错：请有意识地选择。"),
    binds=(),
)
def teacher_average(case: Case) -> Outcome:
    """Two teachers that disagree, and the student that each mean asks for."""
    if case.subject.binding.layout != "teachers":
        return skipped("one teacher", "只有一个教师")
    one, two = case.inputs.teacher, case.make(seed=5).teacher
    temperature = case.inputs.temperature
    arithmetic = ((one / temperature).softmax(-1) + (two / temperature).softmax(-1)) / 2
    students = {"probabilities": temperature * arithmetic.log(), "logits": (one + two) / 2}
    norms = {
        name: case.subject(case.inputs.having(student=s, teachers=(one, two))).norm
        for name, s in students.items()
    }
    best = min(norms, key=lambda name: norms[name])
    if norms[best] > 1e-4 * case.here.norm:
        return measured(
            "neither mean: each teacher has its own term", "都不是：各教师有各自的项", **norms
        )
    chinese = {"probabilities": "概率", "logits": "logits"}[best]
    return measured(f"the mean of {best}", f"{chinese}的平均", **norms)
