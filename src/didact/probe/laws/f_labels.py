"""The term on the labels beside the distillation term."""

from __future__ import annotations

from didact._core.i18n import Text
from didact.probe.judging.case import Case, Outcome, breaks, holds, measured, skipped
from didact.probe.judging.law import EVERY, law

_WEIGHTS = (0.0, 0.25, 0.5, 1.0)
_TEMPERATURES = (1.0, 2.0, 4.0, 8.0)
_CLASSES = (10, 100, 1000)


@law(
    "label-term",
    title=Text("the label term is a cross-entropy of raw logits", "标签项是原始 logits 的交叉熵"),
    maths=Text(
        "The part that labels change is w CE(softmax(s), y).",
        "随标签变化的部分是 w CE(softmax(s), y)。",
    ),
    meaning=Text(
        "`cross_entropy` takes the softmax itself: given probabilities it never falls below ln(e + "
        "C - 1) - 1 and a confident mistake gets almost no gradient. `nll_loss` takes no log.",
        "`cross_entropy` 自带 softmax：喂给概率时下界为 ln(e + C - 1) - 1，自信的错误几乎没有梯度。"
        "`nll_loss` 不取对数。",
    ),
    binds=EVERY,
)
def label_term(case: Case) -> Outcome:
    """The form that was taken off."""
    form = case.subject.label_form
    if form is None:
        return skipped("no separate term on labels", "没有单独的标签项")
    weight = case.subject.label_part(case.inputs, case.subject.whole(case.inputs))[0]
    text = f"{weight:.4g} x {form.name.en}", f"{weight:.4g} × {form.name.zh}"
    if form.mistake:
        return breaks(*text, form.mistake, weight=weight)
    return holds(*text, weight=weight)


@law(
    "weights",
    title=Text("the two weights add up to a constant", "两项权重之和为常数"),
    maths=Text(
        "(1 - w) CE + w KD, or CE + w KD: no third way.",
        "(1 - w) CE + w KD，或 CE + w KD：没有第三种。",
    ),
    meaning=Text(
        "kd + (1 - w) ce changes the size of the whole loss with w; so does a sum where a product "
        "was meant. A learning rate tuned for one w fails at another.",
        "kd + (1 - w) ce 使整个损失的大小随 w 变化；把乘法误写成加法也一样。为某个 w "
        "调好的学习率在另一个 w 下失效。",
    ),
)
def weights(case: Case) -> Outcome:
    """Both weights at four values of w, at T = 1."""
    subject = case.subject
    if subject.label_form is None or not subject.has("weight"):
        return skipped("no weight between two terms", "没有混合两项的权重")
    named = subject.binding.weights
    if len(named) > 1:  # all are called with the same number, which is no setting of two
        return skipped(
            f"weights of their own, no pair: {', '.join(named)}",
            f"各项权重相互独立，并非互补：{'、'.join(named)}",
        )
    labels, teachers = [], []
    for weight in _WEIGHTS:
        at = case.inputs.having(weight=weight, temperature=1.0)
        labels.append(subject.label_part(at, subject.whole(at))[0])
        base = subject(at.having(weight=0.5)).norm
        teachers.append(subject(at).norm / base if base else 0.0)
    ce, kd = f"CE {_list(labels)}", f"KD {_list(teachers)}"
    rows = (
        f"w = 0, .25, .5, 1: {ce}, {kd} (of that at .5)",
        f"w = 0、.25、.5、1 时：{ce}；{kd}（KD 以 w = .5 处为 1）",
    )
    numbers = {"label": labels, "teacher": teachers}
    falls, rises = labels[0] - labels[-1], teachers[-1] - teachers[0]
    convex = all(abs(t - 2 * w) < 1e-3 for t, w in zip(teachers, _WEIGHTS, strict=True))
    reverse = all(abs(t - 2 * (1 - w)) < 1e-3 for t, w in zip(teachers, _WEIGHTS, strict=True))
    fixed = abs(falls) < 1e-6
    paired = (convex and falls > 0) or (reverse and falls < 0)
    lone = (fixed and (convex or abs(rises) < 1e-6)) or (abs(rises) < 1e-6 and falls < 0)
    if paired or lone:
        return holds(rows[0], rows[1], **numbers)
    mistake = "NON-CONVEX" if abs(rises) < 1e-6 or convex or reverse else "WEIGHT-TYPO"
    return breaks(rows[0], rows[1], mistake, **numbers)


def _list(numbers: list[float]) -> str:
    return " ".join(f"{n:.3g}" for n in numbers)


@law(
    "effective-weight",
    title=Text("label term against distillation term", "标签项与蒸馏项之比"),
    maths=Text(
        "|g_KD| / |g_CE| and the cosine of the two gradients at T = 1, 2, 4, 8 and C = 10, 100, "
        "1000.",
        "在 T = 1、2、4、8 与 C = 10、100、1000 时的 |g_KD| / |g_CE| 及两梯度的余弦。",
    ),
    meaning=Text(
        "A ratio that falls with T or C is a weight that means something else for each setting; "
        "below a hundredth the teacher is hardly heard.",
        "比值随 T 或 C 下降，说明权重的含义随设置而变；低于百分之一时教师几乎不起作用。",
    ),
    binds=(),
)
def effective_weight(case: Case) -> Outcome:
    """A table, with the ratio's range in words."""
    if case.subject.label_form is None:
        return skipped("no separate term on labels", "没有单独的标签项")
    temperatures = _TEMPERATURES if case.subject.has("temperature") else (4.0,)
    table: dict[str, dict[str, float]] = {}
    for classes in _CLASSES:
        for temperature in temperatures:
            inputs = case.make(classes=classes, batch=8, temperature=temperature)
            whole, kd = case.subject.whole(inputs), case.subject(inputs)
            ce = whole.gradient - kd.gradient
            size = float(ce.norm()) * kd.norm
            table[f"T={temperature:g}, C={classes}"] = {
                "ratio": kd.norm / float(ce.norm()) if size else 0.0,
                "cosine": float((ce * kd.gradient).sum()) / size if size else 0.0,
            }
    return measured(
        _summary(table, temperatures, "en"), _summary(table, temperatures, "zh"), table=table
    )


def _summary(
    table: dict[str, dict[str, float]], temperatures: tuple[float, ...], language: str
) -> str:
    shown = ",".join(f"{t:g}" for t in temperatures)
    at = f"|KD|/|CE| at T={shown}: " if language == "en" else f"T={shown} 时 |KD|/|CE|："
    rows = [
        f"C={c} " + _list([float(f"{table[f'T={t:g}, C={c}']['ratio']:.2g}") for t in temperatures])
        for c in _CLASSES
    ]
    cosines = [cell["cosine"] for cell in table.values()]
    word, stop = ("cosine", "; ") if language == "en" else ("余弦", "；")
    span = f"{word} {min(cosines):.2f}..{max(cosines):.2f}"
    return at + stop.join([*rows, span])
