"""Every public loss passes the laws of its declared kind."""

from typing import Any

import pytest
import torch
from torch import nn

from didact.losses import CARDS
from didact.probe import probe

CHANNELS = 5
FLOAT = torch.float64
GIVEN: dict[str, dict[str, Any]] = {
    "eeil": {"arguments": {"head_sizes": [2, 3]}},
    "lucir_margin": {"arguments": {"old_classes": 2}},
    "afc": {"arguments": {"importance": torch.tensor([1, 0.25, 4, 2, 1], dtype=FLOAT)}},
    "ofd": {
        "arguments": {
            "norm_weight": torch.linspace(0.5, 2, CHANNELS, dtype=FLOAT),
            "norm_bias": torch.linspace(-1, 1, CHANNELS, dtype=FLOAT),
        }
    },
    "CRD": {
        "init": {"num_samples": 9, "embedding_dim": 4, "temperature": 0.5, "momentum": 1.0},
        "arguments": {
            "indices": torch.arange(6),
            "negative_indices": (torch.arange(6)[:, None] + torch.arange(1, 4)) % 9,
        },
        "layout": "vectors",
    },
    "SimKD": {
        "init": {
            "student_shape": (CHANNELS, 4, 4),
            "teacher_shape": (CHANNELS, 4, 4),
            "classifier": nn.Linear(CHANNELS, 3),
        }
    },
    "SemCKD": {"init": {"batch_size": 6}, "layout": "layers"},
}

UNMOVED_BY_INFINITE_CLASSES = {
    "cross_entropy_and_hard_kd",
    "dist",
    "hard_kd",
    "lucir_margin",
    "podnet_nca",
    "skew_kl",
    "skew_reverse_kl",
    "top_k_kd",
    "total_variation",
}
"""What takes classes at -inf as absent; every other loss of logits refuses them by name."""
FIXED_CLASSES = {"eeil"}
"""Its sizes of heads are given, so that it takes no further classes."""


@pytest.mark.parametrize("name", sorted(CARDS))
def test_a_public_loss_obeys_the_laws_of_its_kind(name: str):
    report = probe(CARDS[name].function, kind=CARDS[name].kind, **GIVEN.get(name, {}))
    assert report.ok, [(r.law, r.outcome.text.en) for r in report.broken]
    extremes = [report.outcome(law) for law in ("large-logits", "half-precision")]
    infinite = report.outcome("infinite-classes")
    if "takes features" in report.match.en:
        assert {o.state for o in (*extremes, infinite)} == {"skipped"}
        return
    assert {o.state for o in extremes} == {"holds"}, [o.text.en for o in extremes]
    if name in FIXED_CLASSES:
        assert infinite.state == "skipped"
    elif name in UNMOVED_BY_INFINITE_CLASSES:
        assert (infinite.state, infinite.numbers["infinite"]) == ("holds", "equal")
    else:
        assert infinite.numbers["infinite"] == "refused"
        assert "NonFiniteError" in infinite.text.en
        assert "logits" in infinite.text.en


def test_what_is_known_is_recognised_with_its_factors():
    for name, form in (
        ("kd", "1 x T^2 x forward KL"),
        ("reverse_kl", "1 x T^2 x reverse KL"),
        ("generalised_jsd", "4 x T^2 x Jensen-Shannon"),
        ("total_variation", "0.5 x T^1 x absolute error of the probabilities"),
        ("mse_logits", "1 x squared error of the logits"),
        ("cross_entropy_and_kd", "0.5 x T^2 x forward KL"),
    ):
        assert probe(CARDS[name].function).match.en.startswith(form), name
