"""The forms that a term on the labels takes, right and wrong."""

# ruff: noqa: N803 - T is the letter of the papers

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.forms.evaluation import Evaluation, evaluate
from didact.probe.inputs.inputs import Inputs

_Formula = Callable[[Tensor, Tensor, float], Tensor]


@dataclass(frozen=True)
class LabelForm:
    """One form.

    Attributes:
        name: The formula in words.
        formula: ``(student (N, C), labels (N,), T) -> (N,)``.
        mistake: The kind of mistake that it is, or nothing.
        head: Whether it takes the columns of the new classes alone.
        shifted: Whether the number of old classes is subtracted from the labels then.
        causal: Whether each position is held against the label of the next, as a language model's.
    """

    name: Text
    formula: _Formula
    mistake: str = ""
    head: bool = False
    shifted: bool = True
    causal: bool = False

    def __call__(self, inputs: Inputs, *, masked: bool = True) -> Evaluation:
        """The mean over the samples with a label, and those the mask keeps unless told not to."""
        student = inputs.student.detach().to(torch.float64).requires_grad_()
        rows, labels, mask = student, inputs.labels, inputs.mask
        if self.causal:
            rows, labels = rows[:, :-1], labels[:, 1:]
            mask = None if mask is None else mask[:, 1:]
        rows, labels = rows.flatten(0, -2), labels.flatten()
        kept = labels >= 0
        if masked and mask is not None:
            kept &= mask.flatten()
        if self.head:
            old = inputs.old or 0
            rows, labels = rows[:, old:], labels - old * self.shifted
        per_sample = self.formula(rows, labels.clamp(0, rows.shape[-1] - 1), inputs.temperature)
        return evaluate((per_sample * kept).sum() / kept.sum().clamp(min=1), student)


def _nll(log_probs: Tensor, labels: Tensor) -> Tensor:
    return -log_probs.gather(-1, labels[:, None])[:, 0]


def _smoothed(rows: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    return F.cross_entropy(rows, labels, reduction="none", label_smoothing=smoothing)


def _one_hot(rows: Tensor, labels: Tensor) -> Tensor:
    return F.one_hot(labels, rows.shape[-1]).to(rows.dtype)


def _bce(rows: Tensor, labels: Tensor) -> Tensor:
    hot = _one_hot(rows, labels)
    return F.binary_cross_entropy_with_logits(rows, hot, reduction="none").sum(-1)


LABEL_FORMS = (
    LabelForm(
        Text("cross-entropy of the student's logits", "学生 logits 的交叉熵"),
        lambda s, y, _: _nll(s.log_softmax(-1), y),
    ),
    LabelForm(
        Text("cross-entropy with label smoothing 0.1", "标签平滑 0.1 的交叉熵"),
        lambda s, y, _: _smoothed(s, y, 0.1),
    ),
    LabelForm(
        Text(
            "cross-entropy of softmax(s), softmax twice", "对 softmax(s) 再做交叉熵（两次 softmax）"
        ),
        lambda s, y, _: _nll(s.softmax(-1).log_softmax(-1), y),
        "CE-ON-PROBS",
    ),
    LabelForm(
        Text("cross-entropy of s/T", "s/T 的交叉熵"),
        lambda s, y, T: _nll((s / T).log_softmax(-1), y),
        "HARD-CE-AT-T",
    ),
    LabelForm(
        Text("cross-entropy of softmax(s/T)", "对 softmax(s/T) 再做交叉熵"),
        lambda s, y, T: _nll((s / T).softmax(-1).log_softmax(-1), y),
        "CE-ON-PROBS",
    ),
    LabelForm(
        Text("nll_loss of probabilities", "对概率做 nll_loss"),
        lambda s, y, _: _nll(s.softmax(-1), y),
        "NLL-WRONG-SPACE",
    ),
    LabelForm(
        Text("nll_loss of raw logits", "对原始 logits 做 nll_loss"),
        lambda s, y, _: _nll(s, y),
        "NLL-WRONG-SPACE",
    ),
    LabelForm(
        Text("binary cross-entropy of the logits", "logits 的二元交叉熵"),
        lambda s, y, _: _bce(s, y),
    ),
    LabelForm(
        Text(
            "binary cross-entropy with logits, given softmax(s)",
            "把 softmax(s) 当 logits 的二元交叉熵",
        ),
        lambda s, y, _: _bce(s.softmax(-1), y),
        "BCEWL-ON-PROBS",
    ),
)


HEAD_FORMS = (
    LabelForm(
        Text("cross-entropy over the new classes", "只在新类上的交叉熵"),
        lambda s, y, _: _nll(s.log_softmax(-1), y),
        head=True,
    ),
    LabelForm(
        Text(
            "cross-entropy over the new classes, with labels that count from the first class",
            "只在新类上的交叉熵，标签却从第一个类别数起",
        ),
        lambda s, y, _: _nll(s.log_softmax(-1), y),
        "LABEL-OFFSET",
        head=True,
        shifted=False,
    ),
)
"""Forms where the teacher knows fewer classes than the student."""


_NEXT = Text("{form}, with the label of the next position", "{form}（下一位置的标签）")
CAUSAL_FORMS = (
    replace(
        LABEL_FORMS[0],
        name=Text("cross-entropy with the label of the next position", "与下一位置标签的交叉熵"),
        causal=True,
    ),
    *(
        replace(each, name=_NEXT.format(form=each.name), causal=True)
        for each in LABEL_FORMS
        if each.mistake in ("CE-ON-PROBS", "HARD-CE-AT-T")
    ),
)
"""Forms of sequences."""
