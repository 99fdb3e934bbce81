"""What load does with what a source gives: splits, labels taken away, label noise."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from didact._core.errors import DataError, RangeError, UnknownNameError, UsageError
from didact.data import SOURCES, Data, load, sources
from didact.data.splits.seeds import derived_seed, generator_for
from didact.data.splits.subsets import (
    labelled_mask,
    noisy_labels,
    stratified_pick,
    validation_indices,
)


@pytest.fixture(scope="module")
def digits() -> Data:
    return load("digits")


def as_set(images: torch.Tensor) -> list[bytes]:
    return sorted(image.numpy().tobytes() for image in images)


def test_digits_are_those_of_scikit_learn(digits: Data) -> None:
    from sklearn.datasets import load_digits

    grey, _ = load_digits(return_X_y=True)
    found = torch.cat([digits.train.images, digits.validation.images, digits.test.images])
    expected = torch.from_numpy((grey * 255 / 16).round()).to(torch.uint8).view(-1, 1, 8, 8)
    assert as_set(found) == as_set(expected)
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (1150, 287, 360)
    assert digits.image_shape == (1, 8, 8)
    assert digits.class_names == tuple("0123456789")
    assert found.max() == 255
    assert found.min() == 0


def test_splits_are_stratified(digits: Data) -> None:
    whole = sum(torch.bincount(s.labels) for s in (digits.train, digits.validation, digits.test))
    for split in (digits.train, digits.validation, digits.test):
        share = len(split) / 1797
        assert (torch.bincount(split.labels) - share * whole).abs().max() <= 2


def test_the_seed_moves_validation_and_never_the_test_set(digits: Data) -> None:
    same, other = load("digits"), load("digits", seed=1, labelled=0.1, label_noise=0.5)
    assert torch.equal(same.train.images, digits.train.images)
    assert torch.equal(same.validation.images, digits.validation.images)
    assert not torch.equal(other.validation.images, digits.validation.images)
    assert torch.equal(other.test.images, digits.test.images)
    assert torch.equal(other.test.labels, digits.test.labels)


def test_mean_and_std_are_those_of_the_training_images(digits: Data) -> None:
    floats = digits.train.images.double() / 255
    assert digits.mean[0] == pytest.approx(float(floats.mean()), rel=1e-12)
    assert digits.std[0] == pytest.approx(float(floats.std(correction=0)), rel=1e-9)


@pytest.mark.parametrize(("validation", "count"), [(0, 0), (0.1, 144), (100, 100), (0.9, 1293)])
def test_validation_is_a_fraction_or_a_number(validation: float, count: int) -> None:
    data = load("digits", validation=validation)
    assert len(data.validation) == count
    assert len(data.train) == 1437 - count


def test_labels_of_less_than_one_image_are_refused() -> None:
    with pytest.raises(
        RangeError, match=r"of 1150 images is less than one image; expected 0\.0087"
    ):
        load("digits", labelled=1e-9)


@pytest.mark.parametrize(("labelled", "count"), [(0.1, 115), (0.001, 10), (1.0, 1150), (50, 50)])
def test_labelled_is_stratified_and_has_every_class(labelled: float, count: int) -> None:
    data = load("digits", labelled=labelled)
    kept = torch.bincount(data.train.labels[data.labelled], minlength=10)
    assert int(kept.sum()) == count
    assert kept.min() >= 1
    share = count / len(data.train) * torch.bincount(data.train.labels)
    assert (kept - share).abs().max() <= 1
    masks = [load("digits", labelled=labelled, validation=0, seed=s).labelled for s in (0, 0, 5)]
    assert torch.equal(masks[0], masks[1])
    assert count == 1150 or not torch.equal(masks[0], masks[2])


@pytest.mark.parametrize("noise", [0.0, 0.2, 0.999])
def test_label_noise_has_exactly_its_rate_on_training_labels_alone(
    digits: Data, noise: float
) -> None:
    noisy = load("digits", label_noise=noise)
    changed = noisy.train.labels != digits.train.labels
    assert int(changed.sum()) == round(noise * 1150)
    assert torch.equal(noisy.validation.labels, digits.validation.labels)
    assert torch.equal(noisy.test.labels, digits.test.labels)
    assert torch.equal(load("digits", label_noise=noise).train.labels, noisy.train.labels)
    assert noisy.mean == digits.mean


def test_label_noise_is_on_the_labels_that_may_be_used() -> None:
    clean, noisy = (load("digits", labelled=0.2, label_noise=n) for n in (0.0, 0.25))
    changed = noisy.train.labels != clean.train.labels
    assert torch.equal(noisy.labelled, clean.labelled)
    assert int(changed[noisy.labelled].sum()) == round(0.25 * int(noisy.labelled.sum()))
    assert not changed[~noisy.labelled].any()


def test_label_noise_is_symmetric() -> None:
    labels = torch.zeros(90_000, dtype=torch.int64)
    mask = torch.ones(90_000, dtype=torch.bool)
    counts = torch.bincount(noisy_labels(labels, mask, 10, 0.9, seed=3), minlength=10)
    assert counts[0] == 9_000
    # 9 other classes, 9,000 expected each, standard deviation about 89: five of them
    assert (counts[1:] - 9_000).abs().max() < 450


@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=8),
    share=st.floats(0.0, 0.99),
    seed=st.integers(0, 5),
)
def test_picks_are_exact_and_leave_every_class_learnable(
    counts: list[int], share: float, seed: int
) -> None:
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    classes, size = len(counts), len(labels)
    picked = stratified_pick(labels, classes, round(share * size), generator_for(seed))
    assert len(picked) == round(share * size) == len(set(picked.tolist()))
    exact = torch.tensor(counts) * len(picked) / size
    assert (torch.bincount(labels[picked], minlength=classes) - exact).abs().max() < 1 + 1e-6
    held_out = validation_indices(labels, classes, share, seed, "x")
    assert len(held_out) == min(round(share * size), size - classes)
    left = torch.bincount(labels, minlength=classes) - torch.bincount(
        labels[held_out], minlength=classes
    )
    assert left.min() >= 1
    some = max(share, 1 / size)  # less than one image is refused
    mask = labelled_mask(labels, classes, some, seed, "x")
    assert torch.bincount(labels[mask], minlength=classes).min() >= 1
    assert int(mask.sum()) == max(round(some * size), classes)


@pytest.mark.parametrize("labelled", [0, -0.1, 1.5, math.nan, math.inf, 1151, False])
def test_labelled_outside_its_range(labelled: float) -> None:
    with pytest.raises(RangeError, match="labelled is"):
        load("digits", labelled=labelled)


@pytest.mark.parametrize("noise", [-0.1, 1, 1.5, math.nan])
def test_label_noise_outside_its_range(noise: float) -> None:
    with pytest.raises(RangeError, match=r"label_noise is .*; expected a fraction in \[0, 1\)"):
        load("digits", label_noise=noise)


@pytest.mark.parametrize("validation", [-0.1, 1, 1.5, math.nan, math.inf, 2000])
def test_validation_outside_its_range(validation: float) -> None:
    with pytest.raises(RangeError, match="validation is"):
        load("digits", validation=validation)


def test_too_few_images_for_the_classes() -> None:
    with pytest.raises(DataError, match="labelled=9 images are fewer than the 10 classes"):
        load("digits", labelled=9)
    with pytest.raises(DataError, match="leaves some class without any; at most 1427"):
        load("digits", validation=1430)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("digit", "did you mean 'digits'"),
        ("fashion_mnist", "did you mean 'fashion-mnist'"),
        ("cifar-10", "did you mean 'cifar10'"),
        ("imagenet", r"known: .*folder:PATH.*npz:PATH"),
        ("foldr:/data", "did you mean 'folder'"),
        ("", "no data set is called ''"),
    ],
)
def test_an_unknown_name_gets_a_suggestion(spec: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        load(spec)


def test_a_path_where_none_belongs() -> None:
    with pytest.raises(UsageError, match="the data set is 'digits:x'; expected 'digits'"):
        load("digits:x")
    with pytest.raises(UsageError, match="expected 'folder:PATH'"):
        load("folder")


def test_every_source_describes_itself() -> None:
    files = Path(sources.__file__ or "").parent.glob("[!_]*.py")
    assert set(SOURCES) == {path.stem.replace("_", "-") for path in files}
    assert {"digits", "cifar100", "folder", "npz"} <= set(SOURCES)
    for name, entry in SOURCES.items():
        assert entry.name == name
        assert entry.description
        assert "\n" not in entry.description
        assert entry.licence
        assert (entry.shape is None) == (entry.num_classes is None) == bool(entry.argument)


def test_seeds_are_the_same_on_every_machine() -> None:
    assert derived_seed(0, "order", 1) == 2002067703672271585
    assert derived_seed(0, "order", 1) != derived_seed(1, "order", 0)
