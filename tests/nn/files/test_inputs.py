"""A model gets the images that it was trained on, whatever the data's normalisation is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from didact._core.errors import UsageError
from didact.nn import Normalisation, OwnInputs, candidates, tap

MEAN, STD = (0.3, 0.5, 0.4), (0.2, 0.1, 0.3)
PIXELS = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
COMING = (PIXELS - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("text", "mean", "std"),
    [
        ("none", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
        ("data", MEAN, STD),
        ("imagenet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ("0.5/0.25", (0.5,) * 3, (0.25,) * 3),
        ("0.1,0.2,0.3/0.5", (0.1, 0.2, 0.3), (0.5,) * 3),
        (((0.1, 0.2, 0.3), (0.5,)), (0.1, 0.2, 0.3), (0.5,) * 3),
    ],
)
def test_the_model_sees_its_own_normalisation(text, mean, std) -> None:
    own = Normalisation.read(text, MEAN, STD)
    seen = OwnInputs(nn.Identity(), own, MEAN, STD)(COMING)
    shaped_mean, shaped_std = (torch.tensor(v).view(1, 3, 1, 1) for v in (mean, std))
    torch.testing.assert_close(seen, (PIXELS - shaped_mean) / shaped_std, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "text", ["image net", "0.5", "0.5/0", "0.5,0.5/0.1,0.1,0.1", "a/b", "1/2/3", "/", "0.5/-1"]
)
def test_what_is_no_normalisation_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the normalisation is"):
        Normalisation.read(text, MEAN, STD)


def test_another_size_and_more_channels() -> None:
    own = Normalisation.read("imagenet", (0.5,), (0.5,))
    grey = torch.zeros(2, 1, 6, 6)
    seen = OwnInputs(nn.Identity(), own, (0.5,), (0.5,), (12, 9))(grey)
    assert seen.shape == (2, 3, 12, 9)
    expected = (0.5 - torch.tensor(own.mean)) / torch.tensor(own.std)
    torch.testing.assert_close(seen[0, :, 0, 0], expected)


def test_the_candidates_begin_with_the_data_and_fit_its_channels() -> None:
    names = [one.name for one in candidates(MEAN, STD)]
    assert names[0] == "data"
    assert {"none", "imagenet", "0.5/0.5"} <= set(names)
    two = candidates((0.1, 0.2), (1.0, 1.0))
    assert "imagenet" not in [one.name for one in two]


def test_layers_keep_their_paths_under_the_inputs() -> None:
    model = OwnInputs(nn.Sequential(nn.Flatten(), nn.Linear(108, 4)), candidates(MEAN, STD)[1],
                      MEAN, STD)  # fmt: skip
    with tap(model, "1") as feature:
        logits = model(COMING)
        assert torch.equal(feature.value, logits)
