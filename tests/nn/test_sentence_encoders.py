"""The small encoders of sentences."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from didact._core.errors import ModelError, RangeError, ShapeError
from didact.nn import build_sentence_encoder, count_parameters

SIZES: dict[str, Any] = {"classes": 50, "dimension": 24, "window": 9}
NAMES = ["static-16", "static-24", "attention-32x1", "attention-64x2"]


@pytest.mark.parametrize("name", NAMES)
def test_padding_and_neighbours_in_a_batch_change_nothing(name: str) -> None:
    torch.manual_seed(0)
    model = build_sentence_encoder(name, **SIZES).eval()
    ids = torch.tensor([[7, 8, 9, 3], [5, 6, 0, 0], [0, 0, 0, 0]])
    found = model(ids)
    assert found.shape == (3, 24)
    assert found.isfinite().all()
    torch.testing.assert_close(model(ids[1:2, :2])[0], found[1])
    torch.testing.assert_close(model(torch.nn.functional.pad(ids, (0, 3))), found)


@pytest.mark.parametrize("name", NAMES)
def test_padding_learns_nothing(name: str) -> None:
    model = build_sentence_encoder(name, **SIZES)
    model(torch.tensor([[7, 8, 0], [0, 0, 0]])).square().sum().backward()
    gradient = model.embedding.weight.grad  # type: ignore[union-attr]
    assert isinstance(gradient, torch.Tensor)
    assert gradient[0].abs().max() == 0
    assert gradient[7].abs().max() > 0


def test_a_static_encoder_is_the_mean_and_attention_sees_order() -> None:
    static: Any = build_sentence_encoder("static-16", classes=50, window=9)
    ids = torch.tensor([[4, 5, 6], [6, 4, 5]])
    torch.testing.assert_close(static(ids)[0], static.embedding.weight[4:7].mean(0))
    torch.testing.assert_close(static(ids)[0], static(ids)[1])
    attention = build_sentence_encoder("attention-32x1", classes=50, window=9)
    one, two = attention(ids)
    assert (one - two).abs().max() > 1e-4
    assert count_parameters(static) == 800


@pytest.mark.parametrize("name", ["static", "static-", "attention-64", "gpt-64x2", "static-٣"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="static-WIDTH or attention-WIDTHxLAYERS"):
        build_sentence_encoder(name, **SIZES)


def test_sizes_that_cannot_be_are_refused() -> None:
    with pytest.raises(RangeError, match="32 divides"):
        build_sentence_encoder("attention-40x1", **SIZES)
    with pytest.raises(RangeError, match="1 or more"):
        build_sentence_encoder("static-0", **SIZES)
    model = build_sentence_encoder("attention-32x1", **SIZES)
    with pytest.raises(ShapeError, match="at most 9"):
        model(torch.ones(1, 10, dtype=torch.int64))
    with pytest.raises(ShapeError, match=r"expected \(batch, tokens\)"):
        model(torch.ones(3, dtype=torch.int64))
