"""Distillation losses with one planted mistake each, and the name of the mistake."""

# ruff: noqa: N803 - T is the letter of public code

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Planted:
    """A loss with a mistake.

    Attributes:
        mistake: The kind that must be named.
        loss: The loss.
        breaks: Laws that must break, among others.
        options: Options of the probe.
    """

    mistake: str
    loss: Callable[..., Any]
    breaks: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


PLANTED: list[Planted] = []
SEQUENCE = {"layout": "sequence"}


def plant(mistake: str, *breaks: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    def register(loss: Callable[..., Any]) -> Callable[..., Any]:
        PLANTED.append(Planted(mistake, loss, breaks, options))
        return loss

    return register


def soft(logits: Tensor, T: float) -> Tensor:
    return F.softmax(logits / T, -1)


def log_soft(logits: Tensor, T: float) -> Tensor:
    return F.log_softmax(logits / T, -1)


def kl(log_q: Tensor, p: Tensor, **options: Any) -> Tensor:
    return F.kl_div(log_q, p, reduction="batchmean", **options)


@plant("KL-INPUT-PROBS", "stationary-at-teacher", "non-negative", "minimiser")
def input_is_probs(student_logits, teacher_logits, T):
    return kl(soft(student_logits, T), soft(teacher_logits, T)) * T**2


@plant("KL-INPUT-RAW", "student-shift", "minimiser", "non-negative")
def input_is_raw(student_logits, teacher_logits, T):
    return kl(student_logits / T, soft(teacher_logits, T)) * T**2


@plant("KL-TARGET-RAW", "finite", "teacher-shift")
def target_is_raw(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits, T), teacher_logits / T) * T**2


@plant("KL-TARGET-LOG", "finite", "sign")
def target_is_log(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits, T), log_soft(teacher_logits, T)) * T**2


@plant("LOG-TARGET-ON-PROBS", "stationary-at-teacher", "minimiser")
def log_target_on_probs(student_logits, teacher_logits, T):
    p = soft(teacher_logits, T)
    return kl(log_soft(student_logits, T), p, log_target=True) * T**2


@plant("SWAPPED")
def swapped(student_logits, teacher_logits, T):
    return kl(log_soft(teacher_logits, T), soft(student_logits, T)) * T**2


@plant("ARGS-REVERSED", "finite")
def reversed_arguments(student_logits, teacher_logits, T):
    return kl(soft(teacher_logits, T), log_soft(student_logits, T)) * T**2


@plant("ARGS-REVERSED", "stationary-at-teacher")
def reversed_probs(student_logits, teacher_logits, T):
    return kl(soft(teacher_logits, T), soft(student_logits, T)) * T**2


@plant("CE-ON-PROBS", "label-term")
def hard_term_on_probs(student_logits, teacher_logits, labels, T=4.0, alpha=0.5):
    hard = F.cross_entropy(student_logits.softmax(-1), labels)
    term = kl(log_soft(student_logits, T), soft(teacher_logits, T)) * T**2
    return (1 - alpha) * hard + alpha * term


@plant("HARD-CE-AT-T", "label-term")
def hard_term_at_temperature(outputs, labels, teacher_outputs, T=4.0, alpha=0.5):
    outputs = outputs / T
    hard = F.cross_entropy(outputs, labels)
    term = kl(outputs.log_softmax(-1), soft(teacher_outputs, T)) * T**2
    return (1 - alpha) * hard + alpha * term


@plant("NLL-WRONG-SPACE", "label-term")
def hard_term_without_log(outputs, labels, teacher_outputs, T=4.0, alpha=0.5):
    hard = F.nll_loss(outputs.softmax(-1), labels)
    term = kl(log_soft(outputs, T), soft(teacher_outputs, T)) * T**2
    return (1 - alpha) * hard + alpha * term


@plant("LOG-OF-SOFTMAX")
def log_of_softmax(student_logits, teacher_logits, T):
    return kl(soft(student_logits, T).log(), soft(teacher_logits, T)) * T**2


@plant("SOFTMAX-OF-SOFTMAX", "stationary-at-teacher")
def softmax_twice(student_logits, teacher_logits, T):
    q = soft(student_logits, T).log_softmax(-1)
    return kl(q, soft(teacher_logits, T)) * T**2


@plant("BCE-ON-SOFTMAX")
def bce_on_softmax(student_logits, teacher_logits, T):
    q, p = soft(student_logits, T), soft(teacher_logits, T)
    return F.binary_cross_entropy(q, p, reduction="none").sum(-1).mean() * T**2


@plant("BCEWL-ON-PROBS", "stationary-at-teacher")
def bce_with_logits_on_probs(student_logits, teacher_logits, T):
    q, p = soft(student_logits, T), soft(teacher_logits, T)
    return F.binary_cross_entropy_with_logits(q, p) * T**2


@plant("SIG/SOFTMAX-MIX", "stationary-at-teacher", "minimiser")
def sigmoid_targets(student_logits, teacher_logits, T):
    p = (teacher_logits / T).sigmoid()
    return -(p * log_soft(student_logits, T)).sum(-1).mean() * T**2


@plant("ARGMAX-SOFT-TARGET")
def argmax_target(student_logits, teacher_logits):
    return F.cross_entropy(student_logits, teacher_logits.argmax(-1))


@plant("ABS/CLAMP-HIDES-NEGATIVE", "stationary-at-teacher", "sign")
def abs_of_negative(student_logits, teacher_logits, T):
    return kl(soft(student_logits, T), soft(teacher_logits, T)).abs() * T**2


@plant("ABS/CLAMP-HIDES-NEGATIVE")
def clamped_terms(student_logits, teacher_logits, T):
    p = soft(teacher_logits, T)
    terms = F.kl_div(log_soft(student_logits, T), p, reduction="none")
    return terms.clamp(min=0).sum(-1).mean() * T**2


@plant("NO-T2", "temperature")
def no_t_squared(student_logits, teacher_logits, labels, T=4.0, alpha=0.5):
    term = kl(log_soft(student_logits, T), soft(teacher_logits, T))
    return alpha * term + (1 - alpha) * F.cross_entropy(student_logits, labels)


@plant("NO-T2")
def no_t_squared_alone(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits, T), soft(teacher_logits, T))


@plant("T-POW1 / T²-TWICE", "temperature")
def t_once(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits, T), soft(teacher_logits, T)) * T


@plant("T-ONE-SIDE", "stationary-at-teacher", "minimiser")
def t_on_teacher_only(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits, 1), soft(teacher_logits, T)) * T**2


@plant("T-ONE-SIDE", "stationary-at-teacher", "minimiser")
def t_on_student_only(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits, T), soft(teacher_logits, 1)) * T**2


@plant("T-TWICE")
def t_twice(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits / T, T), soft(teacher_logits / T, T)) * T**2


@plant("T-INVERTED")
def t_inverted(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits, 1 / T), soft(teacher_logits, 1 / T)) * T**2


@plant("T-UNUSED", "temperature")
def t_unused(student_logits, teacher_logits, T=4.0):
    return kl(log_soft(student_logits, 4.0), soft(teacher_logits, 4.0)) * 16


@plant("KL-MEAN", "class-count")
def kl_mean(student_logits, teacher_logits, T):
    q, p = log_soft(student_logits, T), soft(teacher_logits, T)
    return F.kl_div(q, p, reduction="mean") * T**2


@plant("CLASS-MEAN", "class-count")
def class_mean(student_logits, teacher_logits, T):
    q, p = log_soft(student_logits, T), soft(teacher_logits, T)
    return (p * (p.log() - q)).mean(-1).mean() * T**2


@plant("BATCHMEAN-3D", "sequence", **SEQUENCE)
def batchmean_of_sequences(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits, T), soft(teacher_logits, T)) * T**2


@plant("LOG-OF-SOFTMAX", "large-logits", "half-precision", kind="divergence")
def log_of_softmax_declared(student_logits, teacher_logits, T):
    return log_of_softmax(student_logits, teacher_logits, T)


@plant("BATCH-SUM", "batch")
def batch_sum(student_logits, teacher_logits, labels, T=4.0):
    q, p = log_soft(student_logits, T), soft(teacher_logits, T)
    return F.kl_div(q, p, reduction="sum") * T**2 + F.cross_entropy(student_logits, labels)


@plant("BATCH-SUM")
def batch_sum_alone(student_logits, teacher_logits, T):
    q, p = log_soft(student_logits, T), soft(teacher_logits, T)
    return F.kl_div(q, p, reduction="sum") * T**2


def per_position(student_logits, teacher_logits, T):
    q, p = log_soft(student_logits, T), soft(teacher_logits, T)
    return F.kl_div(q, p, reduction="none").sum(-1) * T**2


@plant("REDUCED-THEN-MASKED", "masked", **SEQUENCE)
def reduced_then_masked(student_logits, teacher_logits, mask, T=4.0):
    value = per_position(student_logits, teacher_logits, T).mean()
    return (value * mask.float()).sum() / mask.sum()


@plant("DEAD-MASK", "masked", **SEQUENCE)
def dead_mask(student_logits, teacher_logits, mask, T=4.0):
    kept = (mask != 250).float()
    return (per_position(student_logits, teacher_logits, T) * kept).sum() / kept.sum()


@plant("MASK-DIVISOR", "masked", **SEQUENCE)
def mask_divisor(student_logits, teacher_logits, mask, T=4.0):
    return (per_position(student_logits, teacher_logits, T) * mask.float()).mean()


@plant("PAD-UNMASKED", "padding", **SEQUENCE)
def padding_distilled(student_logits, teacher_logits, labels, T=4.0):
    hard = F.cross_entropy(student_logits.flatten(0, 1), labels.flatten())
    return hard + per_position(student_logits, teacher_logits, T).mean()


@plant("SIGN-MISSING", "sign", "minimiser")
def sign_missing(student_logits, teacher_logits, T):
    return (soft(teacher_logits, T) * log_soft(student_logits, T)).sum(-1).mean() * T**2


@plant("DIM-SEQ", "class-dimension", **SEQUENCE)
def softmax_over_positions(student_logits, teacher_logits, T):
    q = F.log_softmax(student_logits / T, dim=1)
    p = F.softmax(teacher_logits / T, dim=1)
    return F.kl_div(q, p, reduction="none").sum(-1).mean() * T**2


@plant("DIM-0", "class-dimension")
def softmax_over_batch(student_logits, teacher_logits, T):
    q, p = F.log_softmax(student_logits / T, dim=0), F.softmax(teacher_logits / T, dim=0)
    return kl(q, p) * T**2


@plant("COPYPASTE-NORM", "stationary-at-teacher")
def borrowed_norm(student_logits, teacher_logits, T):
    s, t = (student_logits / T).exp(), (teacher_logits / T).exp()
    total = s.sum(-1, keepdim=True)
    return kl((s / total).log(), t / total) * T**2


@plant("TEACHER-GRAD")
def teacher_in_graph(student, teacher, images, T=4.0):
    return kl(log_soft(student(images), T), soft(teacher(images), T)) * T**2


@plant("STUDENT-UNUSED", "reaches-student")
def student_unused(student_logits, teacher_logits, T):
    return kl(log_soft(teacher_logits, T), soft(teacher_logits, T)) * T**2


@plant("GRAPH-CUT", "reaches-student")
def item_in_graph(student_logits, teacher_logits, labels, T=4.0):
    value = kl(log_soft(student_logits, T), soft(teacher_logits, T)).item()
    return F.cross_entropy(student_logits, labels) + value


@plant("GRAPH-CUT", "reaches-student")
def detached_student(student_logits, teacher_logits, T):
    return kl(log_soft(student_logits.detach(), T), soft(teacher_logits, T)) * T**2


@plant("NON-CONVEX", "weights")
def weights_not_convex(student_logits, teacher_logits, labels, T=4.0, alpha=0.5):
    term = kl(log_soft(student_logits, T), soft(teacher_logits, T)) * T**2
    return term + (1 - alpha) * F.cross_entropy(student_logits, labels)


@plant("WEIGHT-TYPO", "weights")
def weight_added(student_logits, teacher_logits, labels, T=4.0, alpha=0.5):
    term = kl(log_soft(student_logits, T), soft(teacher_logits, T))
    return term * (T * T * 2 + alpha) + (1 - alpha) * F.cross_entropy(student_logits, labels)


@plant("MULTI-TEACHER-SUM", "teacher-count")
def teachers_added(student_logits, teachers_logits, T=4.0):
    terms = [kl(log_soft(student_logits, T), soft(t, T)) * T**2 for t in teachers_logits]
    return torch.stack(terms).sum()


@plant("SLICE-AFTER-SOFTMAX")
def student_sliced_late(student_logits, teacher_logits, T):
    q = log_soft(student_logits, T)[:, : teacher_logits.shape[1]]
    return kl(q, soft(teacher_logits, T)) * T**2


@plant("SLICE-AFTER-SOFTMAX", "stationary-at-teacher", "old-classes")
def both_sliced_late(logits, old_logits, known_classes, T=2.0):
    q, p = log_soft(logits, T), soft(old_logits, T)
    return kl(q[:, :known_classes], p[:, :known_classes]) * T**2


@plant("SLICE-AFTER-SOFTMAX", "old-classes", old_classes=4)
def teacher_sliced_late(logits, old_logits, T=2.0):
    return kl(log_soft(logits[:, :4], T), soft(old_logits, T)[:, :4]) * T**2


@plant("MIXED-SPACE", "old-classes")
def labels_among_logits(logits, labels, old_logits, known):
    target = F.one_hot(labels, logits.size(1)).to(logits.dtype)
    target[:, :known] = old_logits[:, :known]
    return F.cross_entropy(logits, F.softmax(target, dim=1))


@plant("LABEL-OFFSET", "label-term")
def labels_not_shifted(logits, labels, old_logits, T=2.0):
    known = old_logits.size(1)
    term = kl(log_soft(logits[:, :known], T), soft(old_logits, T)) * T**2
    return term + F.cross_entropy(logits[:, known:], labels)


@plant("EMPTY-SLICE", "reaches-student", "finite")
def no_rows(logits, old_logits, T=2.0, k=3):
    return kl(log_soft(logits[:0:k], T), soft(old_logits[:0:k], T)) * T**2


@plant("EMPTY-SLICE", "reaches-student")
def no_columns(logits, labels, old_logits, T=2.0):
    term = kl(log_soft(logits[:, :0], T), soft(old_logits[:, :0], T)) * T**2
    return term + F.cross_entropy(logits, labels)


@plant("NO-KEEPDIM", "batch", "minimiser")
def divided_by_columns(student_logits, teacher_logits, T=2.0):
    p = F.softmax(teacher_logits, dim=1) ** (1 / T)
    return kl(log_soft(student_logits, T), p / p.sum(1)) * T**2


@plant("NO-KEEPDIM", "batch")
def old_part_divided_by_columns(logits, old_logits, known):
    q = F.softmax(logits, dim=1)[:, :known]
    return kl((q / q.sum(1)).log(), F.softmax(old_logits[:, :known], dim=1))
