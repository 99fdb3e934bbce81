"""Samples and positions: the mean of the parts is the whole."""

from __future__ import annotations

import dataclasses

import torch

from didact._core.i18n import Text
from didact.probe.forms.fit import is_power, power_law
from didact.probe.inputs.changes import chosen, repeated
from didact.probe.judging.case import Case, Outcome, advises, breaks, holds, measured, skipped
from didact.probe.judging.law import law


@law(
    "batch",
    title=Text("the mean of the parts is the whole", "各部分的平均等于整体"),
    maths=Text(
        "A batch twice over has the same loss, and the mean of the gradients of two halves is the "
        "gradient of the batch: gradient proportional to B^0.",
        "重复一遍的批次损失不变，且两半批次梯度的平均等于整批梯度：梯度 ∝ B^0。",
    ),
    meaning=Text(
        "B^1 is a sum over the samples, B^-1 a division by the batch size twice: the weight means "
        "something else for each batch size, and gradient accumulation changes the result.",
        "B^1 表示对样本求和，B^-1 表示除以批大小两次：权重含义随批大小变化，梯度累积会改变结果。",
    ),
    binds=("divergence", "match"),
    logits=False,
)
def batch(case: Case) -> Outcome:
    """Repeat the batch, then split it."""
    inputs, here = case.inputs, case.here
    ratios = {1.0: 1.0}
    for times in (2, 4):
        gradient = case.subject(repeated(inputs, times)).gradient
        total = torch.stack(gradient.chunk(times)).sum(0)
        ratios[float(times)] = float((total * here.gradient).sum()) / here.norm**2
    power = power_law(ratios)
    if max(abs(r - 1) for r in ratios.values()) > 100 * case.tolerance:
        if power is None:
            return _coupled(ratios)
        text, chinese = f"gradient ∝ B^{power:.1f}", f"梯度 ∝ B^{power:.1f}"
        if case.subject.binding.of_logits and case.exact:
            said = advises if power > 0 and case.alone else breaks
            mistake = "BATCH-SUM" if power > 0 else "BATCH-TWICE"
            over_samples = "DIM-0" in case.exact.form.mistakes  # which shares 1 among the samples
            return said(text, chinese, *(() if over_samples else (mistake,)), exponent=power)
        return measured(text, chinese, exponent=power)
    middle = inputs.student.shape[0] // 2
    halves = [
        case.subject(chosen(inputs, rows)).gradient
        for rows in (slice(0, middle), slice(middle, None))
    ]
    gap = float((torch.cat(halves) / 2 - here.gradient).norm()) / here.norm
    if gap <= 100 * case.tolerance:
        return holds(
            "gradient ∝ B^0; accumulation changes nothing",
            "梯度 ∝ B^0；梯度累积不改变结果",
            gap=gap,
        )
    if case.coupled:
        return advises(
            f"samples interact: two halves differ from the whole by {gap:.3g}",
            f"样本之间有相互作用：两半与整体相差 {gap:.3g}",
            gap=gap,
        )
    return breaks(
        f"two halves differ from the whole by {gap:.3g}", f"两半与整体相差 {gap:.3g}", gap=gap
    )


def _coupled(ratios: dict[float, float]) -> Outcome:
    listed = ", ".join(f"{r:.3g}" for r in ratios.values())
    return measured(
        f"samples interact: gradient x {listed} for the batch 1, 2, 4 times",
        f"样本之间有相互作用：批次重复 1、2、4 次时梯度 × {listed}",
        ratios=list(ratios.values()),
    )


@law(
    "sequence",
    title=Text("positions count as samples", "每个位置都算一个样本"),
    maths=Text(
        "L of [B, S, C] equals L of the same rows as [B*S, C]: gradient proportional to S^0.",
        "[B, S, C] 的 L 等于把同样的行排成 [B*S, C] 的 L：梯度 ∝ S^0。",
    ),
    meaning=Text(
        "S^1 is `reduction='batchmean'` on [B, S, C], which divides by B alone. A different "
        "gradient is a softmax over the positions (`dim=1`).",
        "S^1 是在 [B, S, C] 上用 `reduction='batchmean'`（只除以 B）。梯度不同则是 softmax "
        "沿了位置维（`dim=1`）。",
    ),
)
def sequence(case: Case) -> Outcome:
    """Repeat the positions; where rows are the layout, also give it sequences."""
    binding = case.subject.binding
    if binding.of_positions:
        return _length(case)
    if binding.layout != "classes" or case.subject.label_form is not None:
        return skipped("the loss takes rows here", "此损失按行取输入")
    layered = dataclasses.replace(binding, layout="sequence")
    inputs = layered.make(batch=2, positions=3)
    try:
        rows = inputs.having(
            student=inputs.student.flatten(0, 1),
            teacher=inputs.teacher.flatten(0, 1),
            labels=inputs.labels.flatten(),
        )
        deep, flat = case.subject(inputs), case.subject(rows)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        name = type(error).__name__
        return skipped(f"[B, S, C] is refused ({name})", f"不接受 [B, S, C]（{name}）")
    gap = float((deep.gradient.flatten(0, 1) - flat.gradient).norm()) / max(flat.norm, 1e-300)
    if gap <= 100 * case.tolerance:
        return holds(
            "[B, S, C] gives what [B*S, C] gives", "[B, S, C] 与 [B*S, C] 结果相同", gap=gap
        )
    return advises(
        f"made for [B, C]: on [B, S, C] the gradient differs by {gap:.3g}; flatten(0, -2) first",
        f"为 [B, C] 而写：用于 [B, S, C] 时梯度相差 {gap:.3g}；请先 flatten(0, -2)",
        gap=gap,
    )


def is_sum(case: Case) -> bool:
    """Whether twice the batch has twice the gradient too, as no mean over anything does."""
    doubled = case.subject(repeated(case.inputs, 2)).gradient
    total = torch.stack(doubled.chunk(2)).sum(0)
    return abs(float((total * case.here.gradient).sum()) / case.here.norm**2 - 2) < 1e-3


def _shared(measured_at: dict[float, float], positions: int, counted: int) -> dict[float, float]:
    """The ratios, where so many of the positions count and repeating makes every gap count too."""
    return {
        times: ratio * (times * positions - positions + counted) / (times * counted)
        for times, ratio in measured_at.items()
    }


def _length(case: Case) -> Outcome:
    measured_at = {1.0: 1.0}
    for times in (2, 4):
        gradient = case.subject(repeated(case.inputs, times, dim=1)).gradient
        total = torch.stack(gradient.chunk(times, 1)).sum(0)
        measured_at[float(times)] = float((total * case.here.gradient).sum()) / case.here.norm**2
    positions = case.inputs.student.shape[1]
    counts = [positions]
    if not bool(case.here.gradient[:, -1].any()):
        counts.insert(0, positions - 1)  # a language model: the last position has no next label
    readings = [_shared(measured_at, positions, counted) for counted in counts]
    ratios = min(readings, key=lambda each: max(abs(r - 1) for r in each.values()))
    power = power_law(ratios)
    if max(abs(r - 1) for r in ratios.values()) <= 100 * case.tolerance:
        return holds("gradient ∝ S^0", "梯度 ∝ S^0", exponent=0.0)
    if power is None:
        return breaks("positions interact", "位置之间有相互作用", ratios=list(ratios.values()))
    if is_power(power, 1) and case.alone and is_sum(case):
        return advises("gradient ∝ S^1.0: a sum over all positions", "梯度 ∝ S^1.0：对所有位置求和")
    mistakes = ("BATCHMEAN-3D",) if is_power(power, 1) else ()
    return breaks(f"gradient ∝ S^{power:.1f}", f"梯度 ∝ S^{power:.1f}", *mistakes, exponent=power)
