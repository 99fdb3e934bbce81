"""The language model of our own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from didact._core.errors import ModelError, RangeError, ShapeError
from didact.losses import Head
from didact.nn import Gpt, build_gpt, count_parameters


def test_a_token_knows_nothing_of_those_behind_it() -> None:
    torch.manual_seed(0)
    model = build_gpt("gpt-64x2", classes=50, window=12).eval()
    ids = torch.randint(50, (2, 12))
    other = ids.clone()
    other[:, 7:] = (other[:, 7:] + 1) % 50
    one, two = model(ids), model(other)
    assert one.shape == (2, 12, 50)
    torch.testing.assert_close(one[:, :7], two[:, :7])
    assert (one[:, 7:] - two[:, 7:]).abs().amax(-1).min() > 1e-4
    torch.testing.assert_close(model(ids[:, :5]), one[:, :5])


def test_its_hidden_states_and_embedding_are_a_head() -> None:
    model = Gpt(32, 1, classes=20, window=6)
    ids = torch.randint(20, (3, 6))
    head = Head(model.hidden(ids), model.embedding.weight)
    torch.testing.assert_close(head.flat().logits(), model(ids).flatten(0, 1))


def test_it_is_as_large_as_it_says() -> None:
    assert count_parameters(build_gpt("gpt-128x2", classes=512, window=128)) == 475_776
    assert count_parameters(build_gpt("gpt-64x2", classes=512, window=128)) == 139_584
    model = Gpt(64, 3, classes=100, window=8)
    assert sum(isinstance(m, nn.Linear) for m in model.modules()) == 12


@pytest.mark.parametrize("name", ["gpt", "gpt-64", "gpt-64x", "mlp", "gpt-64x2-3", "gpt-٣x2"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="gpt-WIDTHxLAYERS"):
        build_gpt(name, classes=4, window=4)


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(RangeError, match="32 divides"):
        build_gpt("gpt-40x2", classes=4, window=4)
    with pytest.raises(RangeError, match=r"gpt-64x0"):
        build_gpt("gpt-64x0", classes=4, window=4)
    model = Gpt(32, 1, classes=4, window=4)
    with pytest.raises(ShapeError, match="at most 4"):
        model(torch.zeros(1, 5, dtype=torch.int64))
