"""Each parameter of a loss gets what its name asks for."""

# ruff: noqa: N803 - T is the letter of public code

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact.probe import probe


def term(student, teacher, T=4.0):
    p = F.softmax(teacher.detach() / T, -1)
    return F.kl_div(F.log_softmax(student / T, -1), p, reduction="batchmean") * T**2


def by_params(outputs, labels, teacher_outputs, params):
    value = term(outputs, teacher_outputs, params.temperature) * params.alpha
    return value + F.cross_entropy(outputs, labels) * (1 - params.alpha)


def by_dict(outputs, labels, teacher_outputs, cfg):
    value = term(outputs, teacher_outputs, cfg["T"]) * cfg["alpha"]
    return value + F.cross_entropy(outputs, labels) * (1 - cfg["alpha"])


def by_position(y, labels, teacher_scores, temp, alpha):
    value = term(y, teacher_scores, temp) * alpha
    return value + F.cross_entropy(y, labels) * (1 - alpha)


def of_models(student, teacher, T=4.0):
    return SimpleNamespace(loss=term(student.logits, teacher["logits"], T))


def teacher_first(t_logits, s_logits, T=4.0):
    return term(s_logits, t_logits, T), {"log": 1}


def unreduced(preds_S, preds_T, tau=4.0):
    p = F.softmax(preds_T.detach() / tau, -1)
    return F.kl_div(F.log_softmax(preds_S / tau, -1), p, reduction="none") * tau**2


class Criterion(nn.Module):
    """A loss around a criterion, with a model as teacher."""

    def __init__(self, base_criterion, teacher_model, alpha, tau):
        super().__init__()
        self.base, self.teacher, self.alpha, self.tau = base_criterion, teacher_model, alpha, tau

    def forward(self, inputs, outputs, labels):
        with torch.no_grad():
            teacher_outputs = self.teacher(inputs)
        value = term(outputs, teacher_outputs, self.tau)
        return self.base(outputs, labels) * (1 - self.alpha) + value * self.alpha


class Finished(nn.Module):
    def __init__(self):
        super().__init__()
        self.temperature = 2.0

    def forward(self, logits_student, logits_teacher):
        return term(logits_student, logits_teacher, self.temperature)


@pytest.mark.parametrize(
    "loss", [by_params, by_dict, by_position, of_models, teacher_first, unreduced, Finished()]
)
def test_any_signature_is_bound(loss):
    report = probe(loss)
    assert report.ok, report.to_dict()
    assert "T^2 x forward KL(teacher || student); residual" in report.match.en


def test_a_module_with_a_criterion_and_a_teacher_model_is_bound():
    report = probe(Criterion, student="outputs", arguments={"inputs": torch.zeros(6, 1)})
    assert "forward KL" in report.match.en
    assert report.outcome("weights").state == "holds"


def test_probabilities_are_given_where_the_name_asks_for_them():
    def loss(student_log_probs, teacher_probs):
        return F.kl_div(student_log_probs, teacher_probs, reduction="batchmean")

    assert probe(loss).match.en.startswith("1 x forward KL(teacher || student), T = 1")
