"""What is masked or ignored has no effect."""

from __future__ import annotations

import torch
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.forms.evaluation import Evaluation
from didact.probe.inputs.inputs import OF_IMAGES
from didact.probe.judging.case import Case, Outcome, breaks, holds, measured, skipped
from didact.probe.judging.law import law
from didact.probe.laws.d_batch import is_sum


@law(
    "masked",
    title=Text("masked positions have no effect", "被掩码的位置没有影响"),
    maths=Text(
        "Where the mask is false nothing changes the loss, and the rest is averaged over the "
        "positions that count.",
        "掩码为假处的任何变化都不影响损失，其余按有效位置取平均。",
    ),
    meaning=Text(
        "The mask meets a number that is reduced already, is always true, or the sum is divided by "
        "all positions: padding teaches, or dilutes what teaches.",
        "掩码作用在已归约的数上、恒为真，或除以了全部位置数：填充位置参与了训练，或稀释了有效部分。",
    ),
    binds=("divergence", "match"),
)
def masked(case: Case) -> Outcome:
    """Mask every third position."""
    if not case.subject.has("mask"):
        return skipped("the loss has no mask", "该损失没有掩码参数")
    inputs = case.inputs
    mask = (torch.arange(inputs.labels.numel()) % 3 != 1).reshape(inputs.labels.shape)
    hidden = inputs.having(mask=mask)
    evaluation = case.subject(hidden)
    leaked = float(evaluation.gradient[~mask].norm()) / max(evaluation.norm, 1e-300)
    if leaked > 10 * case.tolerance:
        if _direction_changed(evaluation, case):
            return measured(
                f"masked positions carry {leaked:.2g} of the gradient; the mask has another use",
                f"被掩码的位置占梯度的 {leaked:.2g}；掩码另有用途",
                leaked=leaked,
            )
        unmoved = case.distance(evaluation, case.here) <= 100 * case.tolerance
        mistakes = ("REDUCED-THEN-MASKED", "DEAD-MASK") if unmoved else ("REDUCED-THEN-MASKED",)
        return breaks(
            f"masked positions carry {leaked:.2g} of the gradient",
            f"被掩码的位置占梯度的 {leaked:.2g}",
            *mistakes,
            leaked=leaked,
        )
    ratio = float((evaluation.gradient[mask] * case.here.gradient[mask]).sum())
    ratio /= float((case.here.gradient[mask] ** 2).sum())
    expected = mask.numel() / int(mask.sum())
    if abs(ratio - 1) <= 1e-3 and not case.subject.binding.reduces(hidden):
        return holds("no gradient there; the loss is not reduced", "该处无梯度；损失未归约")
    if abs(ratio - 1) <= 1e-3 and is_sum(case):
        return holds("no gradient there; the loss is a sum", "该处无梯度；损失是求和")
    if abs(ratio - 1) <= 1e-3:
        return breaks(
            "masked positions get no gradient, but the sum is divided by all positions",
            "被掩码位置无梯度，但求和后除以了全部位置数",
            "MASK-DIVISOR",
            ratio=ratio,
        )
    return holds(
        f"no gradient there; the rest x {ratio:.3g} (positions that count: x {expected:.3g})",
        f"该处无梯度；其余 × {ratio:.3g}（按有效位置应为 × {expected:.3g}）",
        ratio=ratio,
    )


def _direction_changed(evaluation: Evaluation, case: Case) -> bool:
    """Whether a mask does more than scale what is reduced already."""
    size = evaluation.norm * case.here.norm
    along = float((evaluation.gradient * case.here.gradient).sum())
    return abs(abs(along) / size - 1) > 1e-6


def _hidden_by_attention(case: Case, kept: Tensor) -> bool:
    """Whether positions get no gradient that the mask hides as well as the labels."""
    labels = case.inputs.labels.masked_fill(~kept, -100)
    evaluation = case.subject(case.inputs.having(labels=labels, mask=kept))
    gradient, hidden = evaluation.gradient, ~kept
    if not bool(case.here.gradient[:, -1].any()):
        gradient, hidden = gradient[:, :-1], hidden[:, 1:]
    return float(gradient[hidden].norm()) <= 10 * case.tolerance * max(evaluation.norm, 1e-300)


@law(
    "padding",
    title=Text("ignored labels are not distilled", "被忽略的标签不参与蒸馏"),
    maths=Text(
        "dL/ds = 0 at positions whose label is -100, or whose next label is.",
        "标签为 -100（或下一个标签为 -100）的位置 dL/ds = 0。",
    ),
    meaning=Text(
        "The cross-entropy leaves padding out and the distillation term does not.",
        "交叉熵忽略了填充位置，而蒸馏项没有。",
    ),
)
def padding(case: Case) -> Outcome:
    """Every third label ignored."""
    if not case.subject.has("labels") or not case.subject.binding.of_positions:
        return skipped("no labels of positions", "没有逐位置的标签")
    inputs = case.inputs
    kept = (torch.arange(inputs.labels.numel()) % 3 != 1).reshape(inputs.labels.shape)
    try:
        evaluation = case.subject(inputs.having(labels=inputs.labels.masked_fill(~kept, -100)))
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        name = type(error).__name__
        return skipped(f"labels of -100 are refused ({name})", f"不接受标签 -100（{name}）")
    leaked = float(evaluation.gradient[~kept].norm()) / max(evaluation.norm, 1e-300)
    if not case.labels_matter:
        return measured(
            f"the loss does not read its labels; positions labelled -100 carry {leaked:.2g} of the "
            "gradient",
            f"此损失没有使用标签；标签为 -100 的位置占梯度的 {leaked:.2g}",
            leaked=leaked,
        )
    if not bool(case.here.gradient[:, -1].any()):
        leaked = float(evaluation.gradient[:, :-1][~kept[:, 1:]].norm()) / max(
            evaluation.norm, 1e-300
        )
    if leaked <= 10 * case.tolerance:
        return holds("no gradient there", "该处无梯度", leaked=leaked)
    if _hidden_by_attention(case, kept):
        return measured(
            f"the attention mask leaves padding out; positions labelled -100 that it shows, as a "
            f"prompt, carry {leaked:.2g} of the distillation gradient",
            f"填充由注意力掩码排除；注意力可见但标签为 -100 的位置（如提示词）占蒸馏梯度的 "
            f"{leaked:.2g}",
            leaked=leaked,
        )
    if case.subject.binding.layout in OF_IMAGES:
        return measured(
            f"points labelled -100 carry {leaked:.2g} of the distillation gradient; of a picture "
            "that is a choice",
            f"标签为 -100 的像素占蒸馏梯度的 {leaked:.2g}；对图像而言这是一种选择",
            leaked=leaked,
        )
    return breaks(
        f"positions labelled -100 carry {leaked:.2g} of the distillation gradient",
        f"标签为 -100 的位置占蒸馏梯度的 {leaked:.2g}",
        "PAD-UNMASKED",
        leaked=leaked,
    )
