"""The losses on logits as one would write them down: what the benchmark compares with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from didact import losses

T = 4.0
Loss = Callable[[Tensor], Tensor]


def plain_kd(student: Tensor, teacher: Tensor) -> Tensor:
    student_log_probs = F.log_softmax(student / T, -1)
    target = F.softmax(teacher / T, -1)
    return F.kl_div(student_log_probs, target, reduction="batchmean") * T * T


class Reversed(torch.autograd.Function):
    """The gradient reversal of CTKD."""

    @staticmethod
    def forward(_ctx: object, parameter: Tensor) -> Tensor:
        """The same value."""
        return parameter.view_as(parameter)

    @staticmethod
    def backward(_ctx: object, *upstream: Tensor) -> Tensor:
        """The opposite gradient."""
        return -upstream[0]


def eager_ce_and_kd(student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
    return 0.1 * F.cross_entropy(student, labels) + 0.9 * plain_kd(student, teacher)


def _probs(z: Tensor, temperature: float | Tensor | None = None) -> Tensor:
    return F.softmax(z if temperature is None else z / temperature, 1)


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return F.kl_div(log_q, log_p, log_target=True, reduction="batchmean")


def _logs(z: Tensor, temperature: float | Tensor | None = None) -> Tensor:
    return F.log_softmax(z if temperature is None else z / temperature, 1)


def _eager_jsd(s: Tensor, t: Tensor) -> Tensor:
    mixture = torch.logsumexp(torch.stack([_logs(s), _logs(t)]) - 0.6931472, 0)
    return 2 * (_kl(_logs(t), mixture) + _kl(_logs(s), mixture))


def _eager_skew(s: Tensor, t: Tensor) -> Tensor:
    return _kl(_logs(t), (0.1 * _probs(t) + 0.9 * _probs(s)).log())


def _eager_dkd(s: Tensor, t: Tensor, y: Tensor) -> Tensor:
    target = F.one_hot(y, s.shape[1]).bool()
    q, p = _probs(s, T), _probs(t, T)
    q2 = torch.stack([(q * target).sum(1), (q * ~target).sum(1)], 1)
    p2 = torch.stack([(p * target).sum(1), (p * ~target).sum(1)], 1)
    first = F.kl_div(q2.log(), p2, reduction="batchmean")
    rest = F.kl_div(_logs(s - 4e3 * target, T), _probs(t - 4e3 * target, T), reduction="batchmean")
    return (first + 8 * rest) * T * T


def _eager_dist(s: Tensor, t: Tensor) -> Tensor:
    def correlation(a: Tensor, b: Tensor) -> Tensor:
        return F.cosine_similarity(a - a.mean(1, True), b - b.mean(1, True), eps=1e-8).mean()

    q, p = _probs(s), _probs(t)
    return 2 - correlation(q, p) - correlation(q.T, p.T)


def _standard(z: Tensor) -> Tensor:
    return (z - z.mean(1, True)) / (z.std(1, keepdim=True) + 1e-7)


def _eager_mlkd(s: Tensor, t: Tensor) -> Tensor:
    total = s.new_zeros(())
    for temperature in (2.0, 3.0, 4.0, 5.0, 6.0):
        q, p = _probs(s, temperature), _probs(t, temperature)
        total = total + _kl(_logs(t, temperature), _logs(s, temperature)) * temperature**2
        total = total + ((q @ q.T - p @ p.T) ** 2).sum() / len(s)
        total = total + ((q.T @ q - p.T @ p) ** 2).sum() / s.shape[1]
    return total / 5


def _eager_top_k(s: Tensor, t: Tensor, k: int) -> Tensor:
    cells = t.topk(k, 1).indices

    def merged(z: Tensor) -> Tensor:
        log_probs = _logs(z)
        rest = log_probs.scatter(1, cells, -torch.inf).logsumexp(1, keepdim=True)
        return torch.cat([log_probs.gather(1, cells), rest], 1)

    return _kl(merged(t), merged(s))


def _eager_binary(s: Tensor, t: Tensor) -> Tensor:
    target = t.sigmoid()
    cross = F.binary_cross_entropy_with_logits(s, target, reduction="none")
    own = F.binary_cross_entropy_with_logits(t, target, reduction="none")
    return (cross - own).sum(1).mean()


def _eager_curriculum(s: Tensor, t: Tensor, parameter: Tensor) -> Tensor:
    temperature = 1 + 20 * Reversed.apply(parameter).sigmoid()
    return _kl(_logs(t, temperature), _logs(s, temperature)) * temperature**2


def _eager_confidence(s: Tensor, ts: list[Tensor], y: Tensor) -> Tensor:
    surprise = torch.stack([F.cross_entropy(t, y, reduction="none") for t in ts])
    weights = (1 - surprise.softmax(0)) / 2
    each = [F.kl_div(_logs(s, T), _probs(t, T), reduction="none").sum(1) for t in ts]
    return (weights * torch.stack(each)).sum(0).mean() * T * T


def looking(name: str, eager: Loss, t: Tensor) -> Loss:
    """An eager writing that refuses NaN in the teacher, as every loss of the library does."""

    def looked(s: Tensor) -> Tensor:
        value = eager(s)
        if (t if name == "hard_kd" else value).isnan().any():  # a choice shows no NaN
            raise ValueError("NaN")
        return value

    return looked


def eager_writings(t: Tensor, ts: list[Tensor], y: Tensor) -> dict[str, tuple[Any, ...]]:
    """For each loss, a straightforward writing and the library's call; then what it trains."""
    own = losses
    routes, k = y % 3, min(50, t.shape[1] // 2)
    curriculum = own.CurriculumKD()
    return {
        "kd": (lambda s: plain_kd(s, t), lambda s: own.kd(s, t)),
        "forward_kl": (lambda s: _kl(_logs(t), _logs(s)), lambda s: own.forward_kl(s, t)),
        "reverse_kl": (lambda s: _kl(_logs(s), _logs(t)), lambda s: own.reverse_kl(s, t)),
        "symmetric_kl": (
            lambda s: (_kl(_logs(s), _logs(t)) + _kl(_logs(t), _logs(s))) / 2,
            lambda s: own.symmetric_kl(s, t),
        ),
        "total_variation": (
            lambda s: (_probs(s) - _probs(t)).abs().sum(1).mean() / 2,
            lambda s: own.total_variation(s, t),
        ),
        "generalised_jsd": (lambda s: _eager_jsd(s, t), lambda s: own.generalised_jsd(s, t)),
        "skew_kl": (lambda s: _eager_skew(s, t), lambda s: own.skew_kl(s, t)),
        "skew_reverse_kl": (
            lambda s: _kl(_logs(s), (0.9 * _probs(t) + 0.1 * _probs(s)).log()),
            lambda s: own.skew_reverse_kl(s, t),
        ),
        "dkd": (lambda s: _eager_dkd(s, t, y), lambda s: own.dkd(s, t, y)),
        "dist": (lambda s: _eager_dist(s, t), lambda s: own.dist(s, t)),
        "standardised_kd": (
            lambda s: plain_kd(_standard(s), _standard(t)),
            lambda s: own.standardised_kd(s, t),
        ),
        "mlkd": (lambda s: _eager_mlkd(s, t), lambda s: own.mlkd(s, t)),
        "CurriculumKD": (
            lambda s: _eager_curriculum(s, t, curriculum.parameter),
            lambda s: curriculum(s, t),
            curriculum.parameter,
        ),
        "mse_logits": (
            lambda s: F.mse_loss(s, t, reduction="sum") / len(s),
            lambda s: own.mse_logits(s, t),
        ),
        "hard_kd": (lambda s: F.cross_entropy(s, t.argmax(1)), lambda s: own.hard_kd(s, t)),
        "cross_entropy_and_hard_kd": (
            lambda s: (F.cross_entropy(s, y) + F.cross_entropy(s, t.argmax(1))) / 2,
            lambda s: own.cross_entropy_and_hard_kd(s, t, y),
        ),
        "cross_entropy_and_kd": (
            lambda s: eager_ce_and_kd(s, t, y),
            lambda s: own.cross_entropy_and_kd(s, t, y),
        ),
        "binary_kd": (lambda s: _eager_binary(s, t), lambda s: own.binary_kd(s, t)),
        "top_k_kd": (lambda s: _eager_top_k(s, t, k), lambda s: own.top_k_kd(s, t, k=k)),
        "kd_mean_probs": (
            lambda s: (
                F.kl_div(_logs(s, T), sum(_probs(x, T) for x in ts) / 3, reduction="batchmean")
                * T
                * T
            ),
            lambda s: own.kd_mean_probs(s, ts),
        ),
        "kd_geometric_mean": (
            lambda s: plain_kd(s, sum(ts) / 3),
            lambda s: own.kd_geometric_mean(s, ts),
        ),
        "kd_weighted_sum": (
            lambda s: sum(plain_kd(s, x) for x in ts) / 3,
            lambda s: own.kd_weighted_sum(s, ts),
        ),
        "kd_confidence_weighted": (
            lambda s: _eager_confidence(s, ts, y),
            lambda s: own.kd_confidence_weighted(s, ts, y),
        ),
        "kd_routed": (
            lambda s: plain_kd(s, torch.stack(ts)[routes, torch.arange(len(s))]),
            lambda s: own.kd_routed(s, ts, routes),
        ),
    }
