"""The weights, temperatures and rates of a run, against hand-computed numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from didact.train.distilling.objective import (
    DistillationObjective,
    DistillationTerm,
    StepOutputs,
)
from didact.train.distilling.ramp import Ramp
from didact.train.distilling.settings import DistillSettings
from didact.train.distilling.tasks import mean_probs_logits
from didact.train.loop.schedule import learning_rate


def objective(**changes: Any) -> DistillationObjective:
    values: dict[str, Any] = {
        "kd_weight": Ramp(0.8),
        "temperature": Ramp(8.0, 2.0),
        "warmup": 0.0,
        "combine": "probs",
        "teacher_weights": [1.0],
    }

    def temperature_itself(student_logits: Tensor, temperature: float) -> Tensor:
        return student_logits.sum() * 0 + temperature

    inputs = {"student_logits": "student_logits", "temperature": "temperature"}
    term = DistillationTerm("t", temperature_itself, 0.5, inputs, {})
    return DistillationObjective([term], **{**values, **changes})


def outputs() -> StepOutputs:
    return StepOutputs(torch.zeros(4, 2), [torch.zeros(4, 2)], torch.tensor([0, 1, 0, 1]))


@pytest.mark.parametrize(("fraction", "temperature"), [(0.0, 8.0), (0.5, 5.0), (1.0, 2.0)])
def test_the_temperature_ramp(fraction: float, temperature: float) -> None:
    terms = objective()(outputs(), fraction)
    assert terms["t"].item() == pytest.approx(0.8 * 0.5 * temperature)
    assert terms["label"].item() == pytest.approx(0.2 * math.log(2))


@pytest.mark.parametrize(("fraction", "weight"), [(0.0, 0.0), (0.1, 0.4), (0.2, 0.8), (1.0, 0.8)])
def test_the_warm_up_of_the_weight(fraction: float, weight: float) -> None:
    terms = objective(warmup=0.2, temperature=Ramp(4.0))(outputs(), fraction)
    assert terms["label"].item() == pytest.approx((1 - weight) * math.log(2))
    assert ("t" in terms) == (weight > 0)
    if weight:
        assert terms["t"].item() == pytest.approx(weight * 0.5 * 4.0)


def test_a_weight_of_one_has_no_label_term() -> None:
    assert set(objective(kd_weight=Ramp(1.0))(outputs(), 0.5)) == {"t"}


def test_the_mean_of_probabilities_in_log_space() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = [5 * torch.randn(3, 4, generator=generator, dtype=torch.float64) for _ in range(2)]
    mixed = mean_probs_logits([one.float() for one in logits], [0.25, 0.75], 3.0)
    expected = 0.25 * F.softmax(logits[0] / 3, 1) + 0.75 * F.softmax(logits[1] / 3, 1)
    torch.testing.assert_close(F.softmax(mixed.double() / 3, 1), expected, rtol=1e-5, atol=1e-7)
    sure = [torch.tensor([[1e4, -1e4]]), torch.tensor([[-1e4, 1e4]])]
    assert mean_probs_logits(sure, [0.5, 0.5], 1.0).softmax(1).tolist() == [[0.5, 0.5]]


def test_learning_rates() -> None:
    cosine = DistillSettings.build(schedule="cosine")
    assert [learning_rate(cosine, 0.2, f) for f in (0, 0.5, 1)] == pytest.approx([0.2, 0.1, 0.0])
    step = DistillSettings.build(schedule="step", milestones=(0.5, 0.75), decay=0.1)
    rates = [learning_rate(step, 1.0, f) for f in (0.49, 0.5, 0.75)]
    assert rates == pytest.approx([1.0, 0.1, 0.01])
    assert learning_rate(DistillSettings.build(schedule="constant"), 0.3, 0.9) == 0.3


def test_ramps_are_read_and_written() -> None:
    for text in ("4.0", "8.0:2.0"):
        assert str(Ramp.read(text)) == text
    with pytest.raises(ValueError, match="8:2"):
        Ramp.read("1:2:3")
