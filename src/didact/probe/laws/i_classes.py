"""Classes that one side does not have: written as -inf, or missing from the teacher."""

from __future__ import annotations

import dataclasses

import torch

from didact._core.i18n import Text
from didact.probe.binding.attempts import NO_GRADIENT, attempt
from didact.probe.errors import reason_of
from didact.probe.forms.subject import Subject
from didact.probe.inputs.changes import unwidened, widened
from didact.probe.inputs.inputs import Sizes
from didact.probe.judging.case import Case, Outcome, advises, breaks, holds, measured, skipped
from didact.probe.judging.law import law
from didact.probe.judging.recognise import isolate

_FEWER = Sizes(old=3)
_AMBIGUOUS = "late-student"


@law(
    "infinite-classes",
    title=Text("classes at -inf change nothing", "logit 为 -inf 的类别不改变结果"),
    maths=Text(
        "Classes with a logit of -inf on both sides have probability 0 on both: 0 log 0 = 0, so "
        "value and gradient stay as they are.",
        "两侧 logit 均为 -inf 的类别在两侧的概率都是 0：0 log 0 = 0，因此值与梯度都不变。",
    ),
    meaning=Text(
        "In floating point 0 times -inf is NaN. -inf is how padded vocabulary and missing classes "
        "are written: cut those columns, or fill them with -10000, before the loss.",
        "浮点运算中 0 乘 -inf 得 NaN。填充的词表和缺失的类别常写成 -inf："
        "请在进入损失之前去掉这些列，或填成 -10000。",
    ),
    binds=(),
)
def infinite_classes(case: Case) -> Outcome:
    """Twice as many classes, on both sides and then on the teacher's alone."""
    if not case.subject.binding.of_raw_logits:
        return skipped("the loss takes no logits", "此损失的输入不是 logits")
    inputs = case.inputs
    plain = widened(inputs, 2 * inputs.classes)
    wide = widened(inputs, 2 * inputs.classes, empty=float("-inf"))
    try:
        base = case.subject(plain)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        reason = reason_of(error)
        return skipped(f"more classes are refused: {reason.en}", f"不接受更多类别：{reason.zh}")
    try:
        evaluation = case.subject(wide)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        reason = reason_of(error)
        return advises(
            f"logits of -inf are refused: {reason.en}",
            f"不接受 -inf 的 logit：{reason.zh}",
            infinite="refused",
        )
    if not evaluation.finite:
        gradient = bool(torch.isfinite(evaluation.gradient).all())
        both = ("finite", "有限") if gradient else ("not finite either", "也不是有限数")
        return advises(
            f"the value is {evaluation.value:.3g} with classes at -inf, the gradient {both[0]}: "
            "fill padded classes with -10000, or cut them",
            f"有 -inf 类别时值为 {evaluation.value:.3g}，梯度{both[1]}："
            "请把填充的类别写成 -10000 或去掉",
            infinite="not finite",
            gradient=gradient,
        )
    kept, expected = (unwidened(e.gradient, inputs) for e in (evaluation, base))
    gap = float((kept - expected).norm() / expected.norm().clamp(min=1e-300))
    if gap <= 10 * case.tolerance:
        return holds(
            f"gradient changes by {gap:.1e}", f"梯度变化 {gap:.1e}", gap=gap, infinite="equal"
        )
    return advises(
        f"-inf and -10000 differ: the gradient changes by {gap:.3g}",
        f"-inf 与 -10000 结果不同：梯度变化 {gap:.3g}",
        gap=gap,
        infinite="different",
    )


@law(
    "old-classes",
    title=Text("a teacher that knows fewer classes", "教师只认识一部分类别"),
    maths=Text(
        "With C classes and a teacher of k < C, the divergence runs over the first k: slice the "
        "logits, then take the softmax of each slice.",
        "学生有 C 个类别、教师只有 k < C 个时，散度在前 k 个类别上计算："
        "先切 logits，再各自做 softmax。",
    ),
    meaning=Text(
        "Classes cut out after the softmax do not sum to 1; one-hot labels and logits in one "
        "target are on no common scale; labels of a cut head count from its first class.",
        "softmax 之后再切出的类别之和不为 1；one-hot 标签与 logits 放进同一目标时尺度不同；"
        "切出的分类头，其标签应从它的第一个类别数起。",
    ),
)
def old_classes(case: Case) -> Outcome:
    """The loss as it is bound, or bound anew with a teacher of three of five classes."""
    binding = case.subject.binding
    if not case.subject.has("teacher") or binding.layout not in ("classes", "sequence"):
        return skipped("no single teacher's logits", "没有单个教师的 logits")
    if binding.sizes.old is not None:
        return _outcome(case.subject, case)
    if case.subject.has("top_ids"):
        return skipped("the teacher names its classes", "教师自己给出类别编号")
    if case.square:
        return skipped("it takes square inputs only", "只接受方阵输入")
    fewer = dataclasses.replace(binding, sizes=_FEWER)
    verdict = attempt(fewer)
    if verdict is not None:
        if verdict is NO_GRADIENT:
            return skipped("no gradient then", "此时没有梯度")
        return skipped(
            f"a teacher with fewer classes is refused: {verdict.en}",
            f"不接受类别较少的教师：{verdict.zh}",
        )
    isolated = isolate(Subject(fewer))
    return _outcome(isolated.subject, dataclasses.replace(case, fit=isolated.fit))


def _outcome(subject: Subject, case: Case) -> Outcome:
    """What the fitted form says, of the teacher's term and then of the labels'."""
    form = subject.label_form
    if form is not None and form.mistake:
        return breaks(form.name.en, form.name.zh, form.mistake)
    fit = case.exact
    if fit is None:
        return measured("accepted; no known form", "可以接受；不是已知形式")
    if fit.form.special is None or not fit.form.mistakes:
        return holds(fit.name.en, fit.name.zh)
    if fit.form.key == _AMBIGUOUS:
        return advises(fit.name.en, fit.name.zh, *fit.form.mistakes)
    return breaks(fit.name.en, fit.name.zh, *fit.form.mistakes)
