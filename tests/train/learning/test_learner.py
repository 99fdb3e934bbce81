"""A learner by hand does what the command does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.train.learning.support import SETTINGS, plain_network, small_data
from tests.train.learning.test_continue import part

from didact._core.errors import DataError, UsageError
from didact.train import Learner, learn

PARTS = [("a", "b"), ("c", "d"), ("e", "f")]
BY_HAND: dict[str, Any] = {
    key: SETTINGS[key] for key in ("memory", "epochs", "batch_size", "learning_rate")
} | {"normalise": "0.3/0.2"}


@pytest.mark.parametrize("method", ["icarl", "lwf", "slda", "der"])
def test_fitting_task_by_task_gives_the_bits_of_the_command(method: str, tmp_path: Path) -> None:
    groups = [("f", "b"), ("d", "a"), ("c", "e")]
    options = {"method_options": {"der.classifier_epochs": 1}} if method == "der" else {}
    learner = Learner(method, model=plain_network, **BY_HAND, **options)
    for group in groups:
        learner.fit(ordered(*group))
    learner.save(tmp_path / "mine.safetensors")
    data = ordered(*(name for group in groups for name in group))
    given = {**SETTINGS, **BY_HAND, **options, "method": method, "model": plain_network}
    learn(data=data, output=tmp_path / "run", **given)
    mine = load_file(tmp_path / "mine.safetensors")
    theirs = load_file(tmp_path / "run" / "cells" / f"{method}.0" / "learner.safetensors")
    assert mine.keys() == theirs.keys()
    for key, value in theirs.items():
        assert value.equal(mine[key]), key


def ordered(*names: str) -> Any:
    """These classes in this order, each with its images in the order of the whole."""
    from dataclasses import replace

    found = part(*names)
    table = torch.tensor([names.index(name) for name in found.class_names])
    splits = {
        what: getattr(found, what).with_labels(table[getattr(found, what).labels])
        for what in ("train", "validation", "test")
    }
    return replace(found, class_names=names, **splits)


def test_it_knows_its_classes_by_name_and_comes_back_from_its_file(tmp_path: Path) -> None:
    learner = Learner("icarl", model="mlp-16", **BY_HAND)
    with pytest.raises(UsageError, match="call fit first"):
        learner.predict(small_data().test.images)
    for names in PARTS:
        assert learner.fit(part(*names)) is learner
    found = learner.evaluate(part("a", "b", "c", "d", "e", "f"))
    assert set(found["classes"]) == set("abcdef")
    assert found["images"] == 30
    learner.save(tmp_path / "l.safetensors")
    again = Learner.load(tmp_path / "l.safetensors")
    images = small_data().test.images
    assert again.predict(images) == learner.predict(images)
    again.fit(part("a", "b"))  # the same classes once more: no new column
    assert again.class_names == tuple("abcdef")
    assert again.tasks[-1] == (0, 1)
    with pytest.raises(DataError, match="class 'x' was not learned"):
        again.evaluate(images[:2], ["a", "x"])


def test_arrays_and_folders_are_tasks_too(tmp_path: Path) -> None:
    data = small_data()
    images, names = np.asarray(data.train.images), ["abcdef"[k] for k in data.train.labels.tolist()]
    for name in ("e", "f"):
        (tmp_path / name).mkdir()
        for number, image in enumerate(images[np.array(names) == name]):
            Image.fromarray(image[0]).save(tmp_path / name / f"{number}.png")
    old = np.isin(names, list("abcd"))
    learner = Learner("icarl", model="mlp-16", **{**BY_HAND, "epochs": 8})
    learner.fit(images[old], [n for n in names if n in "abcd"]).fit(tmp_path)
    assert learner.class_names == tuple("abcdef")
    assert learner.evaluate(images, names)["accuracy"] > 0.7
    assert learner.evaluate(tmp_path)["images"] == 6
    joint = Learner("joint", model="mlp-16", epochs=1).fit(part("a", "b"))
    with pytest.raises(UsageError, match="joint learns from the images of all tasks"):
        joint.fit(part("c", "d"))


def features(count: int = 60) -> tuple[np.ndarray[Any, Any], list[str]]:
    generator = np.random.default_rng(0)
    labels = np.arange(count) % 3
    rows = generator.normal(size=(count, 8)) + 3 * np.eye(8)[labels]
    return rows, [("cat", "owl", "fox")[k] for k in labels]


@pytest.mark.parametrize("method", ["slda", "simplecil", "ranpac"])
def test_features_are_learned_in_portions(method: str, tmp_path: Path) -> None:
    rows, names = features()
    options = {"method_options": {"ranpac.width": 64}} if method == "ranpac" else {}
    learner = Learner(method, model="features", **options)
    for start in range(0, 60, 7):
        learner.partial_fit(rows[start : start + 7], names[start : start + 7])
    assert learner.class_names == ("cat", "owl", "fox")
    right = [found == name for found, name in zip(learner.predict(rows), names, strict=True)]
    assert sum(right) >= 54
    learner.save(tmp_path / "l.safetensors")
    again = Learner.load(tmp_path / "l.safetensors")
    assert torch.allclose(again.scores(rows), learner.scores(rows), rtol=1e-3, atol=1e-4)
    again.partial_fit(-rows[:5], ["hen"] * 5)
    assert again.predict(-rows[:2]) == ["hen", "hen"]
    if method == "slda":
        whole = Learner(method, model="features").partial_fit(rows, names)
        assert torch.allclose(whole.scores(rows), learner.scores(rows), rtol=1e-3, atol=1e-3)


def test_what_cannot_be_learned_so_is_refused() -> None:
    rows, names = features(6)
    with pytest.raises(UsageError, match="lwf trains a network"):
        Learner("lwf", model="features").partial_fit(rows, names)
    with pytest.raises(UsageError, match="images with fit"):
        Learner("slda").partial_fit(rows, names)
    learner = Learner("slda", model="features").partial_fit(rows, names)
    with pytest.raises(DataError, match="features are 3 wide; expected 8"):
        learner.partial_fit(rows[:, :3], names)
    with pytest.raises(DataError, match="and there are 5 labels"):
        learner.partial_fit(rows, names[:5])
    with pytest.raises(UsageError, match=r"for didact\.train\.learn"):
        Learner("lwf", known=("a", "b"), normalise="none")


def test_arrays_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    learner = Learner("lwf", model=plain_network, **BY_HAND).fit(part("a", "b"))
    pixels = part("a").test.images[:2]
    for kind in (torch.int64, torch.int16, torch.uint16):
        with pytest.raises(DataError, match=r"expected uint8 in 0\.\.255, or floats"):
            learner.scores(pixels.to(kind))
    broken = pixels / 255
    broken[0, 0, 0, 0] = float("nan")
    with pytest.raises(DataError, match="NaN or infinity"):
        learner.scores(broken)
    file = tmp_path / "one.png"
    Image.fromarray(pixels[0, 0].numpy()).save(file)
    assert learner.predict(file) == learner.predict(str(file)) == learner.predict([file])
    with pytest.raises(DataError, match="there is no image file or folder"):
        learner.predict(str(tmp_path / "none.png"))


def test_features_that_are_no_numbers_are_refused() -> None:
    learner = Learner("slda", model="features")
    learner.partial_fit([[0.9, 0.1], [0.1, 0.8]], ["cat", "owl"])
    with pytest.raises(DataError, match="the features have NaN or infinity"):
        learner.partial_fit([[0.9, float("nan")]], ["fox"])
    assert learner.class_names == ("cat", "owl")
