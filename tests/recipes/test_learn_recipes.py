"""The recipes of ``didact learn``: the literature's schedule, and how they are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from didact._core.errors import UsageError
from didact.recipes import (
    learn_cifar100,
    learn_cifar100_short,
    learn_digits,
    learn_fashion_mnist,
    learn_for_data,
    learn_mnist,
)
from didact.train import LearnSettings, read_toml

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"


def test_cifar100_is_the_literature_schedule() -> None:
    full = learn_cifar100()
    assert (full.step, full.base, full.class_order, full.memory) == (10, None, 1993, 2000)
    assert (full.model, full.augment) == ("resnet32", "crop-flip-brightness")
    assert (full.epochs, full.batch_size, full.learning_rate) == (170, 128, 0.1)
    assert full.schedule == "step"
    assert [full.epochs * m for m in full.milestones] == pytest.approx([80, 120])
    asked_for = {"finetune", "lwf", "icarl", "bic", "wa", "podnet", "der", "joint"}
    assert asked_for == set(full.method)
    assert full.method_options == {"joint.from_scratch": True}


def test_options_of_a_recipe_stay_while_their_method_does() -> None:
    full = learn_cifar100()
    assert full.changed(method=("lwf", "icarl")).method_options == {}
    given = {"icarl.loss": "softmax", "joint.from_scratch": False}
    for option, value in given.items():
        expected = {"joint.from_scratch": True, option: value}
        assert full.changed(method_options={option: value}).method_options == expected
    with pytest.raises(UsageError, match="an option is for wa"):
        full.changed(method=("lwf",), method_options={"wa.temperature": 3.0})


def test_the_short_recipe_keeps_the_protocol_of_the_full_one() -> None:
    full, short = learn_cifar100(), learn_cifar100_short()
    for name in ("data", "step", "base", "class_order", "memory", "scenario", "evaluate_on"):
        assert getattr(short, name) == getattr(full, name)
    assert short.epochs < full.epochs
    assert short.model != full.model


def test_the_short_recipe_is_in_the_docs_as_a_file() -> None:
    if not RECIPES.is_dir():
        pytest.skip("an installed package has no docs")
    written = LearnSettings.build(**read_toml(RECIPES / "learn-cifar100-short.toml"))
    assert written == learn_cifar100_short()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, learn_digits()),
        ("fashion-mnist", learn_fashion_mnist()),
        ("folder:/data/cifar100", learn_cifar100().changed(data="folder:/data/cifar100")),
        ("folder:/data/cifar100/", learn_cifar100().changed(data="folder:/data/cifar100/")),
        ("npz:mnist.npz", learn_mnist().changed(data="npz:mnist.npz")),
        ("folder:/data/birds", LearnSettings.build(data="folder:/data/birds")),
        ("mnist.py:cifar100", LearnSettings.build(data="mnist.py:cifar100")),
    ],
)
def test_a_folder_called_like_a_known_set_gets_its_recipe(
    data: str | None, expected: LearnSettings
) -> None:
    assert learn_for_data(data) == expected
