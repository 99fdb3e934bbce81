"""The probe leaves the world as it was, and starts where it is told to."""

# ruff: noqa: N803 - T is the letter of public code

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from didact.losses import kd
from didact.probe import ProbeError, assert_obeys, probe


def term(student, teacher, T=4.0):
    p = F.softmax(teacher.detach() / T, -1)
    return F.kl_div(F.log_softmax(student / T, -1), p, reduction="batchmean") * T**2


class Finished(nn.Module):
    def __init__(self):
        super().__init__()
        self.temperature = 2.0

    def forward(self, logits_student, logits_teacher):
        return term(logits_student, logits_teacher, self.temperature)


def test_a_fixed_temperature_is_found():
    report = probe(lambda student, teacher: term(student, teacher, 3.0))
    assert report.match.en.startswith("9 x forward KL(teacher || student), T = 3;")
    odd = probe(lambda student, teacher: term(student, teacher, 3.7))
    assert "T = 3.7;" in odd.match.en


def test_a_value_for_the_temperature_is_where_the_laws_start():
    assert probe(term, arguments={"T": 2}).ok
    with pytest.raises(AssertionError, match="gradient ∝ C"):
        assert_obeys(lambda s, t: F.kl_div(s.log_softmax(-1), t.softmax(-1), reduction="mean"))
    assert assert_obeys(kd, kind="divergence").ok


def test_the_laws_do_not_disturb_random_numbers_or_the_module():
    class Drawing(Finished):
        """As augmentation and mixing do, from all three generators."""

        def forward(self, logits_student, logits_teacher):
            random.random()
            np.random.rand()  # noqa: NPY002
            torch.rand(1)
            return super().forward(logits_student, logits_teacher)

    def draws():
        return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002

    def seed():
        random.seed(3)
        np.random.seed(3)  # noqa: NPY002
        torch.manual_seed(3)

    seed()
    expected = draws()
    seed()
    module, threads = Drawing(), torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        probe(module)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(threads)
    assert draws() == expected
    assert module.temperature == 2.0


def test_a_loss_that_fails_does_not_disturb_random_numbers_either():
    def failing(student, teacher):
        random.random()
        raise ValueError("no")

    random.seed(3)
    expected = random.random()
    random.seed(3)
    with pytest.raises(ProbeError):
        probe(failing)
    assert random.random() == expected
