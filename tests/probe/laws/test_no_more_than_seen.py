"""A row says no more than what was seen: it neither accuses nor praises beyond its numbers."""

# ruff: noqa: N803 - T is the letter of public code

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact.probe import Report, probe


def kl(student, teacher, T=1.0):
    log_q, p = F.log_softmax(student / T, -1), F.softmax(teacher / T, -1)
    return F.kl_div(log_q, p, reduction="batchmean") * T * T


def outcome(report: Report, law: str):
    return next(r.outcome for r in report.results if r.law == law)


@dataclass
class Weights:
    tau: float = 2.0
    w_soft: float = 0.9
    w_hard: float = 0.1


class OfDataclass:
    def __init__(self, cfg: Weights):
        self.cfg = cfg

    def __call__(self, out_s, out_t, y):
        soft = kl(out_s, out_t, self.cfg.tau)
        return self.cfg.w_soft * soft + self.cfg.w_hard * F.cross_entropy(out_s, y)


def of_namespace(student_logits, teacher_logits, labels, args: SimpleNamespace):
    hard = F.cross_entropy(student_logits, labels)
    return args.alpha * kl(student_logits, teacher_logits, args.T) + args.beta * hard


def of_arguments(student_logits, teacher_logits, labels, kd_weight, ce_weight, T=4.0):
    hard = F.cross_entropy(student_logits, labels)
    return kd_weight * kl(student_logits, teacher_logits, T) + ce_weight * hard


def pair_of_namespace(student_logits, teacher_logits, labels, args):
    hard = F.cross_entropy(student_logits, labels)
    return kl(student_logits, teacher_logits, args.T) + (1 - args.alpha) * hard


@pytest.mark.parametrize("loss", [OfDataclass, of_namespace, of_arguments])
def test_two_weights_of_their_own_are_no_pair(loss):
    report = probe(loss)
    assert report.ok
    assert "NON-CONVEX" not in [m.key for m in report.mistakes]
    assert outcome(report, "weights").state == "skipped"


def test_one_weight_and_its_complement_are_a_pair():
    report = probe(pair_of_namespace)
    assert "NON-CONVEX" in [m.key for m in report.mistakes]
    assert outcome(report, "weights").state == "broken"


def standardised(student_logits, teacher_logits, T=2.0):
    s, t = (
        (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True)
        for x in (student_logits, teacher_logits)
    )
    return kl(s, t, T)


def test_another_distribution_of_the_same_value_is_not_the_teachers():
    found = outcome(probe(standardised), "minimiser")
    assert found.state == "measured"
    assert "another distribution" in found.text.en


class Centred(nn.Module):
    def __init__(self, out_dim=10, momentum=0.9):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("center", torch.zeros(1, out_dim))

    def forward(self, student_output, teacher_output):
        target = F.softmax((teacher_output - self.center) / 0.1, -1).detach()
        loss = -(target * F.log_softmax(student_output, -1)).sum(-1).mean()
        moved = teacher_output.detach().mean(0, keepdim=True) * (1 - self.momentum)
        self.center = self.center * self.momentum + moved
        return loss


class Normed(nn.Module):
    """Its statistics move, and its value does not ask for them."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(5)

    def forward(self, student_features, teacher_features):
        return F.mse_loss(self.norm(student_features), self.norm(teacher_features).detach())


@pytest.mark.parametrize("loss", [Centred, Centred(5)], ids=["class", "module"])
def test_a_buffer_that_changes_the_next_call_is_named(loss):
    report = probe(loss)
    found = outcome(report, "deterministic")
    assert found.state == "advice"
    assert "center" in found.text.en
    assert "deterministic" not in [r.law for r in report.broken]


def test_statistics_that_the_value_does_not_use_are_no_memory():
    assert outcome(probe(Normed), "deterministic").state == "holds"


def pixels_softened_together(pred_s, pred_t, T=1.0):
    """Pixel-wise distillation for segmentation, [B, C, H, W]."""
    s, t = (x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]) / T for x in (pred_s, pred_t.detach()))
    return F.kl_div(F.log_softmax(s, 0), F.softmax(t, 0), reduction="batchmean") * T * T


def tokens_softened_together(student_logits, teacher_logits):
    """Token-level, [batch, seq, vocab]."""
    s, t = (x.reshape(-1, x.shape[-1]) for x in (student_logits, teacher_logits))
    return F.kl_div(F.log_softmax(s, 0), F.softmax(t, 0), reduction="batchmean")


def pixels_softened_apart(pred_s, pred_t, T=1.0):
    """Pixel-wise distillation for segmentation, [B, C, H, W]."""
    s, t = (x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]) for x in (pred_s, pred_t.detach()))
    return kl(s, t, T)


@pytest.mark.parametrize("loss", [pixels_softened_together, tokens_softened_together])
def test_a_softmax_over_all_rows_is_named(loss):
    report = probe(loss)
    assert [m.key for m in report.mistakes] == ["DIM-0"]
    assert not report.ok
    assert outcome(report, "minimiser").state != "holds"


def test_a_softmax_of_each_row_is_right():
    report = probe(pixels_softened_apart)
    assert report.ok
    assert not report.mistakes


def cut_by_item(student_logits, teacher_logits, labels, T=2.0):
    return kl(student_logits, teacher_logits, T).item() + F.cross_entropy(student_logits, labels)


def cut_to_numpy(student_logits, teacher_logits):
    return kl(student_logits, teacher_logits).detach().numpy()


def given_in_turn(student_logits, teacher_logits, T=2.0):
    return F.kl_div(F.softmax(teacher_logits / T, -1), F.log_softmax(student_logits / T, -1))


@pytest.mark.parametrize("loss", [cut_by_item, cut_to_numpy])
def test_a_cut_graph_is_no_proof_of_reversed_arguments(loss):
    keys = [m.key for m in probe(loss).mistakes]
    assert "GRAPH-CUT" in keys
    assert "ARGS-REVERSED" not in keys


def test_a_temperature_of_zero_is_no_proof_of_reversed_arguments():
    def hinton(student_logits, teacher_logits, T=2.0):
        return kl(student_logits, teacher_logits, T)

    assert "ARGS-REVERSED" not in [m.key for m in probe(hinton, arguments={"T": 0}).mistakes]


def test_reversed_arguments_are_named():
    assert "ARGS-REVERSED" in [m.key for m in probe(given_in_turn).mistakes]


class Teaching(nn.Module):
    def __init__(self, teacher_model, T=2.0):
        super().__init__()
        self.teacher_model, self.T = teacher_model, T

    def forward(self, student_logits, images):
        with torch.no_grad():
            target = F.softmax(self.teacher_model(images) / self.T, 1)
        twice = F.log_softmax(F.softmax(student_logits / self.T, 1), 1)
        return F.kl_div(twice, target, reduction="batchmean") * self.T**2


def test_a_softmax_of_a_softmax_has_no_power_of_the_classes():
    assert " C^" not in probe(Teaching).match.en


def test_a_cut_graph_has_no_finite_gradient():
    assert "no gradient" in outcome(probe(cut_to_numpy), "finite").text.en


def old_classes_as(link):
    def icarl(new_logits, old_logits, labels, num_old):
        target = F.one_hot(labels, new_logits.shape[1]).to(new_logits.dtype)
        target[:, :num_old] = link(old_logits[:, :num_old])
        return F.binary_cross_entropy_with_logits(new_logits, target)

    return icarl


def test_softmax_targets_of_old_classes_beside_sigmoids_are_named():
    named = probe(old_classes_as(lambda t: t.softmax(1)))
    assert [m.key for m in named.mistakes if m.key != "CLASS-MEAN"][:1] == ["SIG/SOFTMAX-MIX"]
    right = probe(old_classes_as(torch.sigmoid))
    assert right.ok
    assert "SIG/SOFTMAX-MIX" not in [m.key for m in right.mistakes]
