"""Losses as they are written in public code: each is bound, or it is said why not."""

# ruff: noqa: N803, N806 - T is the letter of public code

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact.probe import ProbeError, Report, probe


def term(student, teacher, T=4.0):
    p = F.softmax(teacher.detach() / T, -1)
    return F.kl_div(F.log_softmax(student / T, -1), p, reduction="batchmean") * T**2


def one_hot(student_logits, teacher_logits, one_hot_labels, T=4.0):
    hard = -(one_hot_labels * student_logits.log_softmax(-1)).sum(-1).mean()
    return term(student_logits, teacher_logits, T) + hard


def to_device(student, teacher, device):
    return term(student.to(device), teacher.to(device))


def in_place(student, teacher):
    teacher.div_(4.0)
    student /= 4.0
    q, p = F.log_softmax(student, -1), F.softmax(teacher.detach(), -1)
    return F.kl_div(q, p, reduction="batchmean") * 16


def keywords(**outputs):
    return term(outputs["s_out"], outputs["t_out"])


def positions(*outputs):
    return term(outputs[0], outputs[1])


def of_models(student, teacher, images, T=4.0):
    return term(student(images), teacher(images), T)


def language_model(logits, teacher_logits, labels, T=2.0, alpha=0.5):
    logits, teacher_logits, labels = logits[:, :-1], teacher_logits[:, :-1], labels[:, 1:]
    kept = labels != -100
    hard = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
    return alpha * term(logits[kept], teacher_logits[kept], T) + (1 - alpha) * hard


def leaves_state(student, teacher):
    value = term(student, teacher)
    torch.set_grad_enabled(False)
    torch.set_default_dtype(torch.float64)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    return value


def calls_backward(student, teacher):
    value = term(student, teacher)
    value.backward(retain_graph=True)
    return value


def on_cuda(student, teacher):
    zero = torch.zeros(1, device="cuda") if not torch.cuda.is_available() else 0.0
    return term(student.cuda(), teacher.to("cuda:0"), 4.0) + zero


class Trainer:
    T = 4.0

    def kd_loss(self, student_logits, teacher_logits):
        return term(student_logits, teacher_logits, self.T)


class Wrapped(nn.Module):
    def __init__(self, temperature, reduction="batchmean"):
        super().__init__()
        self.temperature, self.kl = temperature, nn.KLDivLoss(reduction=reduction)

    def forward(self, z_s, z_t):
        T = self.temperature
        return 3, self.kl(F.log_softmax(z_s / T, 1), F.softmax(z_t / T, 1)) * T**2


@pytest.mark.parametrize(
    ("loss", "options"),
    [
        (one_hot, {}),
        (to_device, {}),
        (in_place, {}),
        (keywords, {"student": "s_out", "teacher": "t_out"}),
        (positions, {}),
        (of_models, {}),
        (language_model, {}),
        (leaves_state, {}),
        (on_cuda, {}),
        (calls_backward, {}),
        (Trainer.kd_loss, {}),
        (Trainer().kd_loss, {}),
        (Wrapped, {}),
    ],
)
def test_a_right_loss_is_bound_recognised_and_passes(loss: Callable[..., Any], options: dict):
    report: Report = probe(loss, **options)
    assert report.ok, report.to_dict()
    assert "forward KL(teacher || student)" in report.match.en
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32


def test_an_operation_in_place_is_said():
    outcome = probe(in_place).outcome("inputs-unchanged")
    assert (outcome.state, outcome.numbers["touched"]) == ("advice", ["student", "teacher"])
    assert probe(positions).outcome("inputs-unchanged").state == "holds"


def test_padding_of_a_language_model_is_held_against_the_next_label():
    assert probe(language_model).outcome("padding").state == "holds"

    def unmasked(logits, teacher_logits, labels):
        hard = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return hard + term(logits[:, :-1].flatten(0, 1), teacher_logits[:, :-1].flatten(0, 1))

    assert "PAD-UNMASKED" in [m.key for m in probe(unmasked).mistakes]


def test_random_numbers_go_on_as_before():
    states = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    probe(leaves_state)
    assert random.getstate() == states[0]
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002


def test_many_unknown_names_are_tried_in_a_moment():
    def loss(a, b, c, d, e, f, g, h, i, j, k, m):
        raise ValueError("never")

    with pytest.raises(ProbeError, match="never"):
        probe(loss)


async def coroutine(student, teacher):
    return term(student, teacher)


def ends_program(student, teacher):
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("loss", "english", "chinese"),
    [
        (Trainer, r"the class Trainer cannot be called .* Trainer\.kd_loss", "类 Trainer 的实例"),
        (lambda s, t: "kl", "returned str", "损失返回了 str"),
        (lambda s, t: torch.empty(0), "returned an empty tensor", "损失返回了空张量"),
        (lambda s, t: torch.tensor(3), "returned a tensor of int64", "int64 张量"),
        (lambda s, t: torch.tensor(0.5), "loss is 0.5 whatever", "损失恒为 0.5"),
        (lambda s, t: None, "returned NoneType", "损失返回了 NoneType"),
        (lambda s, t: {"n": 3}, r"its keys are \['n'\]", "其键为 ['n']"),
        (coroutine, "returned coroutine", "损失返回了 coroutine"),
        (ends_program, "ended the program with exit code 3", "结束了程序，退出码 3"),
        (lambda: torch.zeros(()), "no parameter at all", "没有任何参数"),
        (3, "3 cannot be called", "3 不可调用"),
        (lambda s, t, T: 1 / 0, "ZeroDivisionError: division by zero", "  s = 学生、t = 教师"),
    ],
)
def test_what_cannot_be_bound_is_said_in_both_languages(loss, english, chinese):
    with pytest.raises(ProbeError, match=english) as raised:
        probe(loss)
    assert chinese in raised.value.text.zh


def test_a_loss_that_returns_a_plain_number_cuts_the_graph():
    report = probe(lambda s, t: term(s, t).item())
    assert "GRAPH-CUT" in [m.key for m in report.mistakes]
