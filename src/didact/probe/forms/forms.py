"""The known forms of a distillation term that a loss is compared with: the right ones."""

# ruff: noqa: N803 - T is the letter of the papers

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from didact._core.i18n import Text
from didact.probe.inputs.inputs import Inputs

Map = Callable[[Tensor, float], Tensor]
Formula = Callable[[Tensor, Tensor, float], Tensor]
Special = Callable[[Tensor, Inputs, float], Tensor]


@dataclass(frozen=True)
class Form:
    """One form, ``(student (..., C), teacher (..., C), T) -> (...)``, summed over classes.

    Attributes:
        key: Its short name.
        name: The formula in words.
        formula: The formula.
        mistakes: The kinds of mistakes that it is; empty for a right form.
        kind: The kind that its laws are of.
        power: The power of T that belongs before the formula to keep its gradient's size.
        special: For a form of classes that the teacher does not know: a formula of all inputs,
            where the plain formula sees the shared classes only.
    """

    key: str
    name: Text
    formula: Formula
    mistakes: tuple[str, ...] = ()
    kind: str = "divergence"
    power: int | None = 2
    special: Special | None = None

    @property
    def right(self) -> bool:
        """Whether it is no mistake: a reverse KL may be meant."""
        return not set(self.mistakes) - {"SWAPPED"}

    def value(self, student: Tensor, inputs: Inputs, temperature: float) -> Tensor:
        """The mean over samples (and unmasked positions)."""
        teacher = inputs.teacher.to(torch.float64)
        if self.special is not None:
            per_sample = self.special(student, inputs.having(teacher=teacher), temperature)
        else:
            shared = inputs.shared(student), inputs.shared(teacher)
            per_sample = self.formula(*shared, temperature)
        if inputs.mask is None:
            return per_sample.mean()
        return (per_sample * inputs.mask).sum() / inputs.mask.sum()


def kl(log_p: Tensor, log_q: Tensor, dim: int = -1) -> Tensor:
    """KL(p || q) of log-probabilities."""
    return (log_p.exp() * (log_p - log_q)).sum(dim)


def soft(x: Tensor, T: float) -> Tensor:
    """Log-probabilities at a temperature."""
    return (x / T).log_softmax(-1)


def two_sided(student: Map, teacher: Map) -> Formula:
    """KL of what two maps make of the logits."""
    return lambda s, t, T: kl(teacher(t, T), student(s, T))


def _jensen_shannon(beta: float) -> Formula:
    def formula(s: Tensor, t: Tensor, T: float) -> Tensor:
        log_p, log_q = soft(t, T), soft(s, T)
        middle = (beta * log_p.exp() + (1 - beta) * log_q.exp()).log()
        return beta * kl(log_p, middle) + (1 - beta) * kl(log_q, middle)

    return formula


def _difference(s: Tensor, t: Tensor, T: float) -> Tensor:
    return soft(s, T).exp() - soft(t, T).exp()


def _binary(s: Tensor, t: Tensor, T: float) -> Tensor:
    target = (t / T).sigmoid()
    return F.binary_cross_entropy_with_logits(s / T, target, reduction="none").sum(-1)


def _pick(log_probs: Tensor, teacher: Tensor) -> Tensor:
    return log_probs.gather(-1, teacher.argmax(-1, keepdim=True))[..., 0]


RIGHT: tuple[Form, ...] = (
    Form(
        "forward-kl",
        Text("forward KL(teacher || student)", "前向 KL(教师 || 学生)"),
        two_sided(soft, soft),
    ),
    Form(
        "reverse-kl",
        Text("reverse KL(student || teacher)", "反向 KL(学生 || 教师)"),
        lambda s, t, T: kl(soft(s, T), soft(t, T)),
        ("SWAPPED",),
    ),
    *(
        Form(
            f"jsd-{beta}",
            Text(f"Jensen-Shannon divergence, beta {beta}", f"JS 散度（beta {beta}）"),
            _jensen_shannon(beta),
        )
        for beta in (0.5, 0.1, 0.9)
    ),
    Form(
        "symmetric-kl",
        Text("forward KL + reverse KL", "前向 KL + 反向 KL"),
        lambda s, t, T: kl(soft(t, T), soft(s, T)) + kl(soft(s, T), soft(t, T)),
    ),
    Form(
        "mse-logits",
        Text("squared error of the logits", "logits 的平方误差"),
        lambda s, t, _: ((s - t) ** 2).sum(-1),
        kind="match",
        power=None,
    ),
    Form(
        "l1-logits",
        Text("absolute error of the logits", "logits 的绝对误差"),
        lambda s, t, _: (s - t).abs().sum(-1),
        kind="match",
        power=None,
    ),
    Form(
        "mse-probs",
        Text("squared error of the probabilities", "概率的平方误差"),
        lambda s, t, T: (_difference(s, t, T) ** 2).sum(-1),
    ),
    Form(
        "total-variation",
        Text("absolute error of the probabilities", "概率的绝对误差"),
        lambda s, t, T: _difference(s, t, T).abs().sum(-1),
        power=1,
    ),
    Form(
        "mse-log-probs",
        Text("squared error of the log-probabilities", "对数概率的平方误差"),
        lambda s, t, T: ((soft(s, T) - soft(t, T)) ** 2).sum(-1),
    ),
    Form(
        "cosine",
        Text("1 - cosine of the logits", "1 - logits 的余弦相似度"),
        lambda s, t, _: 1 - F.cosine_similarity(s, t, -1),
        kind="match",
        power=None,
    ),
    Form(
        "bce",
        Text(
            "binary cross-entropy of sigmoid(s/T) and sigmoid(t/T)",
            "sigmoid(s/T) 与 sigmoid(t/T) 的二元交叉熵",
        ),
        _binary,
        kind="match",
    ),
    Form(
        "hard-kd",
        Text("cross-entropy with the teacher's argmax", "以教师 argmax 为目标的交叉熵"),
        lambda s, t, _: -_pick(s.log_softmax(-1), t),
        ("ARGMAX-SOFT-TARGET",),
        "objective",
        None,
    ),
    Form(
        "hard-kd-T",
        Text("cross-entropy of s/T with the teacher's argmax", "s/T 与教师 argmax 的交叉熵"),
        lambda s, t, T: -_pick(soft(s, T), t),
        ("ARGMAX-SOFT-TARGET",),
        "objective",
        2,
    ),
)
"""The right forms."""
