"""Losses with unusual signatures are bound without options, and judged rightly."""

# ruff: noqa: N803, N806 - T is the letter of public code

from types import SimpleNamespace
from typing import NamedTuple

import pytest
import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from didact.probe import ProbeError, probe

FORWARD = "forward KL(teacher || student)"


def kd(student, teacher, T):
    p = F.softmax(teacher / T, -1)
    return F.kl_div(F.log_softmax(student / T, -1), p, reduction="batchmean") * T**2


def language_model_outputs(student_out, teacher_out, labels, args):
    s = student_out.logits[:, :-1].flatten(0, 1)
    t = teacher_out.logits[:, :-1].flatten(0, 1)
    kept = labels[:, 1:].flatten() != -100
    return kd(s[kept], t[kept], args.temperature)


def batch_dictionary(batch, cfg):
    soft = kd(batch["student_logits"], batch["teacher_logits"], cfg["T"])
    hard = F.cross_entropy(batch["student_logits"], batch["labels"])
    return {"loss": cfg["alpha"] * soft + (1 - cfg["alpha"]) * hard, "kd": soft, "ce": hard}


class OfModels(nn.Module):
    def __init__(self, opt):
        super().__init__()
        self.opt = opt

    def forward(self, student, teacher, data):
        x, y = data
        with torch.no_grad():
            t = teacher(x)
        s = student(x)
        soft = kd(s, t, self.opt.T)
        return self.opt.alpha * soft + (1 - self.opt.alpha) * F.cross_entropy(s, y)


def of_probabilities(p_student, p_teacher):
    difference = p_teacher.clamp_min(1e-12).log() - p_student.clamp_min(1e-12).log()
    return (p_teacher * difference).sum(1).mean()


def of_log_probabilities(log_p_s, p_t):
    return F.kl_div(log_p_s, p_t, reduction="batchmean")


def of_nothing_named(a, b):
    return F.kl_div(a, b, reduction="batchmean")


def of_lists(outs_s, outs_t, T=4.0):
    return sum(kd(a, b, T) for a, b in zip(outs_s, outs_t, strict=True)) / len(outs_s)


def of_pixels(pred_s, pred_t, mask):
    """Both ``[B, C, H, W]``, the mask ``[B, H, W]``."""
    log_q, p = F.log_softmax(pred_s, 1), F.softmax(pred_t, 1)
    loss = F.kl_div(log_q, p, reduction="none").sum(1)
    return (loss * mask).sum() / mask.sum()


def with_epochs(s_logits, t_logits, target, epoch, max_epoch):
    weight = epoch / max_epoch
    return weight * kd(s_logits, t_logits, 4.0) + (1 - weight) * F.cross_entropy(s_logits, target)


class Trainer:
    def __init__(self, args):
        self.args = args
        self.divergence = nn.KLDivLoss(reduction="batchmean")

    def kd(self, stu, tea):
        return kd(stu, tea, self.args.kd_temp)

    def by_member(self, stu, tea):
        T = self.args.distill.T
        return self.divergence(F.log_softmax(stu / T, 1), self.soft(tea / T)) * T * T

    def soft(self, logits):
        return logits.softmax(-1)


def tuple_of_terms(logits, soft_label, gt, T=2.0):
    p, log_q = F.softmax(soft_label / T, 1), F.log_softmax(logits / T, 1)
    return -(p * log_q).sum(1).mean() * T * T, F.cross_entropy(logits, gt)


def hard_first(logits, teacher_logits, gt, T=2.0):
    soft, hard = kd(logits, teacher_logits, T), F.cross_entropy(logits, gt)
    return hard, soft, soft + hard


def reverse_kl(student_logits, teacher_logits):
    log_q, log_p = student_logits.log_softmax(-1), teacher_logits.log_softmax(-1)
    return (log_q.exp() * (log_q - log_p)).sum(-1).mean()


def icarl(logits, old_logits, targets, n_old):
    target = F.one_hot(targets, logits.shape[1]).to(logits.dtype)
    target[:, :n_old] = torch.sigmoid(old_logits)
    return F.binary_cross_entropy_with_logits(logits, target)


def of_top_classes(student_logits, teacher_topk_ids, teacher_topk_logprobs, T=1.0):
    top = torch.gather(student_logits, -1, teacher_topk_ids)
    return kd(top, teacher_topk_logprobs, T)


def gathered(student_logits, teacher_logits, T=4.0):
    parts = [torch.empty_like(teacher_logits) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, teacher_logits.contiguous())
    return kd(student_logits, torch.cat(parts), T)


class Pair(NamedTuple):
    logits: torch.Tensor
    features: torch.Tensor


def with_features(student, teacher, x, T=4.0):
    (s, _), (t, _) = student(x), teacher(x)
    return kd(s, t.detach(), T)


@pytest.mark.parametrize(
    ("loss", "form"),
    [
        (language_model_outputs, f"1 x T^2 x {FORWARD}"),
        (batch_dictionary, f"0.5 x T^2 x {FORWARD}"),
        (OfModels, f"0.5 x T^2 x {FORWARD}"),
        (of_probabilities, f"1 x {FORWARD}"),
        (of_log_probabilities, f"1 x {FORWARD}"),
        (of_nothing_named, f"1 x {FORWARD}"),
        (of_lists, f"1 x T^2 x {FORWARD}"),
        (of_pixels, f"1 x {FORWARD}"),
        (with_epochs, f"8 x {FORWARD}"),
        (Trainer.kd, f"1 x T^2 x {FORWARD}"),
        (Trainer.by_member, f"1 x T^2 x {FORWARD}"),
        (tuple_of_terms, f"1 x T^2 x {FORWARD}"),
        (hard_first, f"1 x T^2 x {FORWARD}"),
        (reverse_kl, "1 x reverse KL(student || teacher)"),
        (icarl, "0.6 x C^-1 x binary cross-entropy with the teacher's sigmoids"),
        (of_top_classes, f"1 x T^2 x {FORWARD}"),
        (gathered, f"1 x T^2 x {FORWARD}"),
        (with_features, f"1 x T^2 x {FORWARD}"),
    ],
)
def test_an_unusual_loss_that_is_right_is_bound_and_accused_of_nothing(loss, form):
    report = probe(loss)
    assert report.ok, report.to_dict()
    assert report.match.en.startswith(form), report.match.en
    assert not report.mistakes


def test_a_reading_that_no_name_tells_is_said():
    assert any("read as a loss of" in note.en for note in probe(of_nothing_named).notes)
    assert not probe(of_log_probabilities).notes


def test_what_the_name_says_is_not_read_otherwise():
    def raw(student_logits, teacher_logits):
        return F.kl_div(student_logits, teacher_logits, reduction="batchmean")

    assert [m.key for m in probe(raw).mistakes][:2] == ["KL-INPUT-RAW", "KL-TARGET-RAW"]


def test_a_temperature_on_one_side_is_still_accused_and_says_why():
    def one_side(s, t, T=4.0):
        log_q = F.log_softmax(s / T, 1)
        return F.kl_div(log_q, F.softmax(t, 1), reduction="batchmean") * T * T

    report = probe(one_side)
    assert [m.key for m in report.mistakes] == ["T-ONE-SIDE"]
    assert "KL with T on the student only" in report.evidence[0].en


def test_what_is_no_known_form_is_accused_of_nothing():
    def contrast(student, teacher):
        similar = F.normalize(student, dim=-1) @ F.normalize(teacher, dim=-1).T
        return F.cross_entropy(similar / 0.1, torch.arange(len(student)))

    report = probe(contrast)
    assert report.ok
    assert not report.mistakes
    assert "no known form" in report.match.en


def test_a_mask_of_a_loss_that_is_not_reduced_has_no_divisor():
    def unreduced(student_log_probs, teacher_log_probs, support_mask):
        terms = F.kl_div(student_log_probs, teacher_log_probs, reduction="none", log_target=True)
        return terms.sum(-1) * support_mask

    report = probe(unreduced)
    assert report.outcome("masked").state == "holds", report.outcome("masked").text.en
    assert not report.mistakes


def test_a_mask_that_features_have_for_another_term_is_not_accused():
    def patience(state_S, state_T, mask=None):
        return F.mse_loss(F.normalize(state_S, dim=-1), F.normalize(state_T, dim=-1))

    report = probe(patience)
    assert report.ok
    assert not report.mistakes


def test_soft_labels_at_the_temperature_of_the_caller_are_no_temperature_on_one_side():
    def soft_labels(student_logits, teacher_probs, T=4.0):
        log_q = F.log_softmax(student_logits / T, -1)
        return F.kl_div(log_q, teacher_probs, reduction="batchmean") * T * T

    report = probe(soft_labels)
    assert report.match.en.startswith(f"1 x T^2 x {FORWARD}")
    assert not report.mistakes


def test_roles_and_values_may_be_given_by_name():
    def loss(first, second, batch, scale):
        return scale["kd"] * kd(first(batch["x"]), second(batch["x"]), 2.0) + 0 * batch["z"].sum()

    given = {"first": "model", "second": "teacher-model", "scale": {"kd": 3.0}, "batch": "batch"}
    with pytest.raises(ProbeError, match=r"'z' of the batch; pass --arg batch.z=ROLE"):
        probe(loss, arguments=given)
    report = probe(loss, arguments={**given, "batch.z": "labels"})
    assert report.match.en.startswith(f"12 x {FORWARD}, T = 2"), report.match.en


def test_all_that_was_tried_is_said():
    def loss(a, b, c):
        raise RuntimeError("never")

    with pytest.raises(ProbeError) as raised:
        probe(loss)
    assert "a = student, b = teacher, c = labels; " in str(raised.value)
    assert "\n    RuntimeError: never\n" in str(raised.value)
    assert "more ways" in str(raised.value)


def test_a_constructor_is_not_run_for_one_of_its_methods():
    class Heavy:
        def __init__(self, config):
            raise AssertionError("it was run")
            self.T = config.T

        def loss(self, student_logits, teacher_logits):
            return kd(student_logits, teacher_logits, self.T)

    report = probe(Heavy.loss)
    assert report.match.en.startswith(f"1 x T^2 x {FORWARD}")


def test_namespaces_may_be_given_whole():
    def loss(student_logits, teacher_logits, cfg):
        return kd(student_logits, teacher_logits, cfg.deep.heat)

    cfg = SimpleNamespace(deep=SimpleNamespace(heat=3.0))
    assert "T = 3" in probe(loss, arguments={"cfg": cfg}).match.en
