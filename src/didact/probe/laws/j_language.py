"""What holds for the losses of language models: tokens, padding, the next label, vocabularies."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.errors import reason_of
from didact.probe.forms.evaluation import Evaluation
from didact.probe.inputs.changes import chosen
from didact.probe.inputs.inputs import Inputs
from didact.probe.judging.case import Case, Outcome, advises, breaks, holds, measured, skipped
from didact.probe.judging.law import EVERY, law

_POSITIONS = 6
_SMALL_KL = 0.03
_BFLOAT16 = 0.01
"""The share of the gradient that bfloat16 inputs may cost."""

_NO_LANGUAGE = Text("this is no loss of a language model", "这不是语言模型的损失")


def _speaks(case: Case) -> bool:
    """Whether the loss takes tokens: sequences, with labels or a mask for each."""
    binding = case.subject.binding
    if binding.layout not in ("sequence", "output_sequences") or not case.subject.has("teacher"):
        return False
    return case.language_model or case.subject.has("labels") or case.subject.has("mask")


def _of_tokens(case: Case) -> bool:
    """Whether these are tokens beyond doubt: their labels are read, or the user says so."""
    labelled = case.subject.has("labels") and case.labels_matter
    return case.language_model or case.declared or labelled


def _counted(inputs: Inputs, counted: Tensor) -> Inputs:
    """With the labels ignored and the mask off where a position does not count."""
    return inputs.having(labels=inputs.labels.masked_fill(~counted, -100), mask=counted)


def _knows_padding(case: Case) -> bool:
    return case.subject.has("labels") or case.subject.has("mask")


@law(
    "partition",
    title=Text("micro-batches add up to the step", "微批次之和等于整步"),
    maths=Text(
        "The gradient of an optimiser step is the same for every split of its sequences into "
        "micro-batches, though these hold unlike numbers of tokens.",
        "无论把序列怎样划分成微批次（各含的 token 数不同），一次优化器更新的梯度都相同。",
    ),
    meaning=Text(
        "The number of tokens of the whole step is passed in and not used, or each micro-batch is "
        "averaged alone: sequences in a small micro-batch weigh more.",
        "传入了整步的 token 数却没有使用，或每个微批次各自取平均：小微批次里的序列权重偏大。",
    ),
    binds=EVERY,
)
def partition(case: Case) -> Outcome:
    """Two of six sequences and then four, with unlike numbers of tokens."""
    if not _speaks(case) or not _knows_padding(case):
        return skipped(_NO_LANGUAGE.en, _NO_LANGUAGE.zh)
    inputs = case.make(positions=_POSITIONS)
    lengths = torch.tensor([2, 3, 6, 5, 6, 4])
    counted = torch.arange(_POSITIONS) < lengths[: inputs.student.shape[0], None]
    step = _counted(inputs, counted)
    step = step.having(items=int(counted.sum()))
    try:
        whole = case.subject.whole(step).gradient
        parts = [case.subject.whole(chosen(step, rows)).gradient for rows in _SPLIT]
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        reason = reason_of(error)
        return skipped(f"labels of -100 are refused: {reason.en}", f"不接受标签 -100：{reason.zh}")
    if not bool(torch.isfinite(whole).all()):
        return skipped("the gradient is not finite", "梯度不是有限数")
    told = case.subject.has("items")
    together = torch.cat(parts) if told else torch.cat(parts) / len(parts)
    gap = float((together - whole).norm() / whole.norm().clamp(min=1e-300))
    if gap <= 100 * case.tolerance:
        return holds("the split changes nothing", "划分方式不影响结果", gap=gap)
    if told:
        return breaks(
            f"the number of tokens is passed in, and the split changes the gradient by {gap:.2g}",
            f"传入了 token 数，划分方式却使梯度变化 {gap:.2g}",
            "ITEMS-UNUSED",
            gap=gap,
        )
    return measured(
        f"averaged over micro-batches, the split changes the gradient by {gap:.2g}: add up and "
        "divide by the tokens of the whole step",
        f"对微批次取平均时，划分方式使梯度变化 {gap:.2g}：应求和后除以整步的 token 数",
        gap=gap,
    )


_SPLIT = (slice(0, 2), slice(2, None))


@law(
    "padding-added",
    title=Text("more padding changes nothing", "增加填充不改变结果"),
    maths=Text(
        "Positions and whole sequences that do not count, added at the end, leave value and "
        "gradient as they are.",
        "在末尾增加不计入的位置或整条不计入的序列，损失值与梯度都不变。",
    ),
    meaning=Text(
        "Padding is counted in the divisor, or is taught: the loss depends on how sequences were "
        "put together.",
        "填充被计入除数，或参与了训练：损失取决于序列如何拼成批次。",
    ),
)
def padding_added(case: Case) -> Outcome:
    """Two positions more for every sequence, then one sequence more."""
    if not _speaks(case) or not _knows_padding(case):
        return skipped(_NO_LANGUAGE.en, _NO_LANGUAGE.zh)
    if not case.subject.has("mask") and not case.labels_matter:
        return skipped("the loss does not read its labels", "此损失没有使用标签")
    inputs = case.make(positions=_POSITIONS)
    counted = torch.ones(inputs.labels.shape, dtype=torch.bool)
    try:
        base = case.subject(_counted(inputs, counted))
        gaps = {
            name: _gap(case, base, inputs, _longer(inputs, more, dim))
            for name, more, dim in (("positions", 2, 1), ("sequences", 1, 0))
        }
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        reason = reason_of(error)
        return skipped(f"labels of -100 are refused: {reason.en}", f"不接受标签 -100：{reason.zh}")
    if not _of_tokens(case):
        gaps.pop("sequences")  # of a picture's patches each picture may be a mean of its own
    worst = max(gaps, key=lambda name: gaps[name])
    if gaps[worst] <= 100 * case.tolerance:
        return holds("the gradient is the same", "梯度不变", **gaps)
    chinese = {"positions": "位置", "sequences": "序列"}[worst]
    return breaks(
        f"padded {worst} change the gradient by {gaps[worst]:.2g}",
        f"增加填充{chinese}使梯度变化 {gaps[worst]:.2g}",
        "PAD-UNMASKED",
        **gaps,
    )


def _longer(inputs: Inputs, more: int, dim: int) -> Inputs:
    """The same with padding at the end, whose logits are not zero."""

    def padded(tensor: Tensor, value: float) -> Tensor:
        shape = list(tensor.shape)
        shape[dim] = more
        return torch.cat([tensor, tensor.new_full(shape, value)], dim)

    def continued(tensor: Tensor) -> Tensor:
        last = tensor.narrow(dim, tensor.shape[dim] - 1, 1)
        return torch.cat([tensor, *[0.5 * last.roll(1, -1)] * more], dim)

    counted = torch.ones(inputs.labels.shape, dtype=torch.bool)
    return inputs.having(
        student=continued(inputs.student),
        teacher=continued(inputs.teacher),
        labels=padded(inputs.labels, -100),
        mask=padded(counted, 0),
    )


def _gap(case: Case, base: Evaluation, inputs: Inputs, longer: Inputs) -> float:
    """What padding changes: of the gradient where it was, and the gradient that it gets itself."""
    evaluation = case.subject(longer)
    rows, positions = inputs.labels.shape
    there = evaluation.gradient[:rows, :positions]
    leaked = (evaluation.gradient**2).sum() - (there**2).sum()
    changed = ((there - base.gradient) ** 2).sum()
    return float((leaked.clamp(min=0) + changed).sqrt()) / max(base.norm, 1e-300)


@law(
    "shift",
    title=Text("position t meets position t and label t+1", "位置 t 对应教师的位置 t 与标签 t+1"),
    maths=Text(
        "d²L/(ds_t dt_u) is 0 unless u = t; the labels that move the gradient at t are those of "
        "one place: t + 1, or t where the caller has shifted them.",
        "仅当 u = t 时 d²L/(ds_t dt_u) 不为 0；影响位置 t 梯度的标签只在一处："
        "t + 1，或调用方已移位时为 t。",
    ),
    meaning=Text(
        "The student is taught what the teacher says of another token: one side is shifted and the "
        "other is not.",
        "学生学的是教师对另一个 token 的输出：只移动了其中一侧。",
    ),
    binds=EVERY,
)
def shift(case: Case) -> Outcome:
    """Change one position of the teacher, then one label, and look where the gradient moves."""
    if not _speaks(case):
        return skipped(_NO_LANGUAGE.en, _NO_LANGUAGE.zh)
    inputs = case.make(positions=_POSITIONS)
    at = _POSITIONS // 2
    teacher = inputs.teacher.clone()
    teacher[:, at] = teacher[:, at].roll(1, -1)
    labels = inputs.labels.clone()
    labels[:, at] = (labels[:, at] + 1) % inputs.classes
    base = case.subject.whole(inputs).gradient
    met = _moved(base, case.subject.whole(inputs.having(teacher=teacher)).gradient, at)
    named = _moved(base, case.subject.whole(inputs.having(labels=labels)).gradient, at)
    if len(met) > 1 or len(named) > 1:
        return measured("positions interact", "位置之间有相互作用", teacher=met, labels=named)
    if not met and not named:
        return measured(
            "another teacher or label at one position moves no gradient",
            "改变某一位置的教师或标签，梯度都不变",
            teacher=met,
            labels=named,
        )
    text = f"teacher {_offset(met) or 'none'}, label {_offset(named) or 'none'}"
    chinese = f"教师 {_offset(met) or '无'}，标签 {_offset(named) or '无'}"
    if met and met != [0]:
        return breaks(text, chinese, "TEACHER-SHIFTED", teacher=met, labels=named)
    if named and named[0] not in (0, -1):
        return breaks(text, chinese, "LABELS-SHIFTED", teacher=met, labels=named)
    if named == [0] and not bool(base[:, -1].any()):
        return advises(
            f"{text}, and the last position is left out, as for label t+1: shift the labels, or "
            "keep that position",
            f"{chinese}；最后一个位置却被去掉，像是要用标签 t+1：请移位标签，或保留该位置",
            "LABELS-SHIFTED",
            teacher=met,
            labels=named,
        )
    return holds(text, chinese, teacher=met, labels=named)


def _moved(base: Tensor, changed: Tensor, at: int) -> list[int]:
    """Where the gradient moves, counted from the place that was changed."""
    by_position = (changed - base).flatten(2).norm(dim=(0, 2))
    largest = float(by_position.max())
    return [int(p) - at for p in (by_position > 1e-6 * max(largest, 1e-12)).nonzero()[:, 0]]


def _offset(moved: list[int]) -> str:
    """Which place of the other side meets position t; nothing, if none does."""
    if not moved:
        return ""
    return "t" if moved[0] == 0 else f"t{-moved[0]:+d}"


@law(
    "vocabulary",
    title=Text("classes that one side lacks have probability 0", "一侧没有的类别概率为 0"),
    maths=Text(
        "Where the teacher has padded classes that the student lacks, of logit -10000, the loss is "
        "that of the classes that both have, or the sizes are refused.",
        "教师多出学生没有的填充类别（logit 为 -10000）时，损失等于共有类别上的损失，或直接拒绝。",
    ),
    meaning=Text(
        "The missing classes are filled with the logit 0, which is an ordinary logit and takes a "
        "share of the softmax.",
        "缺失的类别被填成 logit 0，而 0 只是一个普通的 logit，会分走 softmax 的概率。",
    ),
)
def vocabulary(case: Case) -> Outcome:
    """A teacher with two classes more, of no probability."""
    if not _speaks(case) or not case.subject.binding.of_raw_logits:
        return skipped(_NO_LANGUAGE.en, _NO_LANGUAGE.zh)
    inputs = case.inputs
    extra = inputs.teacher.new_full((*inputs.teacher.shape[:-1], 2), -1e4)
    try:
        wide = case.subject(inputs.having(teacher=torch.cat([inputs.teacher, extra], -1)))
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        name = type(error).__name__
        return holds(f"other sizes are refused ({name})", f"大小不同时拒绝（{name}）")
    gap = case.distance(wide, case.here)
    if gap <= 100 * case.tolerance:
        return holds(f"gradient changes by {gap:.1e}", f"梯度变化 {gap:.1e}", gap=gap)
    return breaks(
        f"two classes of the teacher without probability change the gradient by {gap:.2g}",
        f"教师多出两个概率为 0 的类别，使梯度变化 {gap:.2g}",
        "VOCABULARY-FILLED",
        gap=gap,
    )


@law(
    "bfloat16",
    title=Text("bfloat16 inputs keep the gradient", "bfloat16 输入下梯度不失真"),
    maths=Text(
        "With logits in bfloat16 and a KL of about 0.03 the gradient is within 1 per cent of that "
        "in float64 of the same numbers.",
        "logits 为 bfloat16、KL 约 0.03 时，梯度与同样数值在 float64 下的梯度相差不超过 1%。",
    ),
    meaning=Text(
        "A softmax or a sum is made in bfloat16, whose numbers have 8 bits: near agreement the "
        "difference of two of them is mostly rounding. Compute the loss in float32.",
        "在 bfloat16（仅 8 位有效数字）下做了 softmax 或求和：两侧接近时其差值大多是舍入误差。"
        "请在 float32 下计算损失。",
    ),
    binds=EVERY,
)
def bfloat16(case: Case) -> Outcome:
    """A student that nearly agrees, over 64 classes."""
    if not _speaks(case) or not case.subject.binding.of_raw_logits:
        return skipped(_NO_LANGUAGE.en, _NO_LANGUAGE.zh)
    inputs = case.make(classes=64, positions=_POSITIONS, temperature=1.0)
    teacher = inputs.teacher.bfloat16().double()
    near = (teacher + (2 * _SMALL_KL) ** 0.5 * inputs.student / 2).bfloat16().double()
    close = inputs.having(student=near, teacher=teacher)
    binding = dataclasses.replace(case.subject.binding, dtype=torch.bfloat16)
    half = dataclasses.replace(case.subject, binding=binding, label_form=None)
    exact = dataclasses.replace(case.subject, label_form=None)
    try:
        gap = case.distance(half(close), exact(close))
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        name = type(error).__name__
        return skipped(f"bfloat16 is refused ({name})", f"不接受 bfloat16（{name}）")
    text = f"the gradient is off by {gap:.1%}", f"梯度偏差 {gap:.1%}"
    if gap <= _BFLOAT16:
        return holds(*text, gap=gap)
    said = breaks if case.language_model else advises
    return said(f"{text[0]}: compute in float32", f"{text[1]}：请在 float32 下计算", gap=gap)
