"""Kinds of losses that are right: each is bound without options, and none is accused."""

# ruff: noqa: N803, N806 - T is the letter of public code

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact.probe import probe


def term(student, teacher, T=4.0):
    log_q, p = F.log_softmax(student / T, -1), F.softmax(teacher / T, -1)
    return F.kl_div(log_q, p, reduction="batchmean") * T * T


def one_dictionary_of_both(result, labels, T=2.0):
    teachers = [term(result["outs"], each, T) for each in result["teacher_out_list"]]
    return 0.5 * sum(teachers) / len(teachers) + 0.5 * F.cross_entropy(result["outs"], labels)


def summed_where_the_mask_is(student_logits, teacher_logits, mask):
    log_q, p = F.log_softmax(student_logits, -1), F.softmax(teacher_logits, -1)
    return (F.kl_div(log_q, p, reduction="none").sum(-1) * mask).sum()


class SharpenedTeacher(nn.Module):
    def __init__(self, alpha=1.0):
        super().__init__()
        self.alpha = alpha

    def forward(self, student, teacher):
        return term(student, teacher * self.alpha, 1.0)


def patches_of_each_picture(student_patches, teacher_patches, masks):
    loss = (F.softmax(teacher_patches, -1) * F.log_softmax(student_patches, -1)).sum(-1)
    return -((loss * masks).sum(-1) / masks.sum(-1).clamp(min=1)).mean()


def powers_of_maps(f_s, f_t, p):
    student, teacher = (F.normalize(f.abs().pow(p).mean(1).flatten(1)) for f in (f_s, f_t))
    return (student - teacher).pow(2).mean()


class Plain(nn.Module):
    def forward(self, student, teacher):
        return term(student, teacher)


class HoldsModels:
    def __init__(self, student, teacher):
        self.student, self.teacher, self.temperature = student, teacher, 4.0

    def training_step(self, batch, batch_idx):
        x, y = batch
        with torch.no_grad():
            teacher_logits, _ = self.teacher(x)
        logits, _ = self.student(x)
        loss = 0.5 * term(logits, teacher_logits, self.temperature) + 0.5 * F.cross_entropy(
            logits, y
        )
        self.log("train/loss", loss)
        return loss


class HeldByModule(nn.Module):
    def __init__(self, student, teacher, criterion, args):
        super().__init__()
        self.student, self.teacher, self.criterion, self.args = student, teacher, criterion, args

    def forward(self, image, label):
        logits, named = self.student(image)
        with torch.no_grad():
            teacher_logits, teacher_named = self.teacher(image)
        maps = sum(
            (a - b).pow(2).mean()
            for a, b in zip(named["feats"], teacher_named["feats"], strict=True)
        )
        return {
            "ce": self.criterion(logits, label),
            "kd": term(logits, teacher_logits),
            "map": maps,
        }


def logits_beside_features(student_logits, teacher_logits, student_features, teacher_features, y):
    hidden = F.mse_loss(student_features[:, 1:, :], teacher_features[:, 1:, :])
    return term(student_logits, teacher_logits) + F.cross_entropy(student_logits, y) + hidden


def features_beside_logits(student_logits, student_features, teacher_features, labels):
    hidden = F.mse_loss(student_features[:, 1:, :], teacher_features[:, 1:, :])
    return 0.5 * F.cross_entropy(student_logits, labels) + 0.5 * hidden


def temperature_on_the_gpu(y_s, y_t, temp):
    return term(y_s, y_t, temp.cuda())


class PadsByNumber:
    def compute(self, logits, teacher_logits, target):
        kept = target != self.padding_id
        return term(logits[kept], teacher_logits[kept], self.args.temperature)


RIGHT = [
    one_dictionary_of_both,
    summed_where_the_mask_is,
    SharpenedTeacher,
    patches_of_each_picture,
    powers_of_maps,
    Plain,
    HoldsModels.training_step,
    HeldByModule,
    logits_beside_features,
    features_beside_logits,
    temperature_on_the_gpu,
    PadsByNumber.compute,
]


@pytest.mark.parametrize("loss", RIGHT, ids=lambda loss: loss.__qualname__)
def test_a_right_loss_is_bound_and_not_accused(loss):
    report = probe(loss)
    assert report.ok, [(r.law, r.outcome.text.en) for r in report.broken]


@pytest.mark.parametrize(
    ("loss", "factor"),
    [
        (one_dictionary_of_both, "0.5 x T^2"),
        (SharpenedTeacher, "1 x forward KL"),
        (HoldsModels.training_step, "8 x forward KL"),
        (logits_beside_features, "16 x forward KL"),
        (temperature_on_the_gpu, "1 x T^2"),
        (PadsByNumber.compute, "1 x T^2"),
    ],
    ids=lambda each: getattr(each, "__qualname__", ""),
)
def test_its_form_is_found(loss, factor):
    assert probe(loss).match.en.startswith(factor)


def switched(outputs, labels, teacher_data, distill_type):
    loss = F.cross_entropy(outputs, labels)
    if distill_type in ("hidden_state", "combined") and "teacher_extra" in teacher_data:
        loss = loss + F.mse_loss(outputs, teacher_data["teacher_extra"])
    return loss


def test_a_path_past_the_teacher_is_no_unused_student():
    report = probe(switched)
    assert report.ok
    assert "STUDENT-UNUSED" not in [m.key for m in report.mistakes]


def test_a_student_that_is_named_and_not_used_is_accused():
    report = probe(lambda student_logits, teacher_logits: term(teacher_logits, teacher_logits + 1))
    assert "STUDENT-UNUSED" in [m.key for m in report.mistakes]


def test_a_number_that_is_given_stays():
    seen = set()

    def loss(student, teacher, T, alpha=0.5):
        seen.update([("T", T), ("alpha", alpha)])
        return alpha * term(student, teacher, T)

    report = probe(loss, arguments={"T": 3.0, "alpha": 0.25})
    assert seen == {("T", 3.0), ("alpha", 0.25)}
    assert report.ok
    assert "2.25 x forward KL" in report.match.en
    temperature = next(r for r in report.results if r.law == "temperature")
    assert temperature.outcome.text.en.startswith("T = 3, as given")


def test_an_unusual_temperature_that_is_given_is_known_to_every_form():
    def reverse(student, teacher, T):
        return term(teacher.detach(), student, T)

    report = probe(reverse, arguments={"T": 3.7})
    assert "T = 3.7" in report.match.en


class Asked:
    def __init__(self, args):
        self.args = args

    def loss(self, student, teacher):
        assert isinstance(self, Asked)
        assert type(self) is not Asked
        assert repr(self) == "<stand-in for Asked>"
        return term(student, teacher, self.args.T)


def test_a_stand_in_says_what_it_is():
    report = probe(Asked.loss)
    assert dict(report.binding)["self"].en.startswith("stands for an instance of Asked")
    assert report.ok


def constant_for_a_hundred_classes(student_logits, teacher_logits, labels, T=4.0, alpha=0.5):
    log_q, p = F.log_softmax(student_logits / T, -1), F.softmax(teacher_logits / T, -1)
    soft = nn.KLDivLoss()(log_q, p) * 100.0 * T**2
    return alpha * soft + (1 - alpha) * F.cross_entropy(student_logits, labels)


class HidesByAttention:
    def __init__(self, teacher_model, temperature):
        self.teacher_model, self.temperature = teacher_model, temperature

    def compute_loss(self, model, inputs):
        labels, shown = inputs["labels"][:, 1:], inputs["attention_mask"][:, 1:]
        s, t = model(**inputs).logits[:, :-1], self.teacher_model(**inputs).logits[:, :-1]
        T = self.temperature
        each = F.kl_div(F.log_softmax(s / T, -1), F.softmax(t / T, -1), reduction="none").sum(-1)
        hard = F.cross_entropy(s.flatten(0, 1), labels.flatten(), ignore_index=-100)
        return 0.5 * (each * shown).sum() / shown.sum() * T**2 + 0.5 * hard


@pytest.mark.parametrize(
    "loss", [constant_for_a_hundred_classes, HidesByAttention.compute_loss], ids=["factor", "mask"]
)
def test_what_makes_up_for_a_fault_is_seen(loss):
    report = probe(loss)
    assert report.ok, [(r.law, r.outcome.text.en) for r in report.broken]


def test_kl_div_of_sigmoids_is_named():
    def loss(student, teacher, T):
        target = (teacher / T).sigmoid()
        return F.kl_div(F.logsigmoid(student / T), target, reduction="batchmean") * T * T

    assert "KL-OF-SIGMOIDS" in [m.key for m in probe(loss).mistakes]


def test_a_tensor_that_is_given_fits_the_first_inputs_alone():
    def loss(student_logits, teacher_logits, scale):
        return term(student_logits * scale, teacher_logits * scale, 1.0)

    assert probe(loss, arguments={"scale": torch.ones(6, 5)}).ok


class TakesKeywords:
    def __init__(self, student, teacher):
        self.student, self.teacher = student, teacher

    def forward_train(self, image, target, **kwargs):
        logits, _ = self.student(image)
        teacher_logits, _ = self.teacher(image)
        return self.warmup * term(logits, teacher_logits) + F.cross_entropy(logits, target)


def test_an_attribute_is_given_beside_keywords():
    report = probe(TakesKeywords.forward_train, arguments={"self.warmup": 0.5})
    assert report.ok
    assert report.match.en.startswith("8 x forward KL")


def one_of_two(student, teacher, mode):
    if mode not in ("forward", "backward"):
        raise ValueError(mode)
    return term(student, teacher)


def test_a_text_that_is_looked_up_among_others_is_found():
    assert probe(one_of_two).ok
