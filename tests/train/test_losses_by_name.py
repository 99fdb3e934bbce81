"""Every loss of the library can be named in a run, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.train.support import QUICK, small_data

from didact._core.errors import DidactError, UsageError
from didact.data import Data, Split
from didact.losses import CARDS
from didact.train import distill

NEEDS_MORE = {
    "SimKD": "classifier",
    "afc": "importance",
    "eeil": "head_sizes",
    "fsp": "both from one stage",
    "kd_routed": "routes",
    "lucir_margin": "old_classes",
    "ofd": "norm_weight",
}
"""Losses that want what a run does not have, and a word of the message."""


def images_of_8() -> Data:
    data = small_data(train=24)

    def larger(part: object) -> Split:
        assert isinstance(part, Split)
        return Split(part.images.repeat(1, 1, 2, 2), part.labels)

    return Data(
        name="blobs",
        train=larger(data.train),
        validation=larger(data.validation),
        test=larger(data.test),
        class_names=data.class_names,
        mean=data.mean,
        std=data.std,
        labelled=data.labelled,
    )


@pytest.mark.parametrize("name", sorted(set(CARDS) - set(NEEDS_MORE)))
def test_a_run_with_each_loss(name: str, tmp_path: Path) -> None:
    options = {"CRD.negatives": 8} if name == "CRD" else {}
    result = distill(
        student="cnn-2",
        teacher=["cnn-4"] * (2 if "teachers" in CARDS[name].family else 1),
        data=images_of_8(),
        loss=name,
        loss_options=options,
        arms=("alone", "distilled"),
        output=tmp_path / "run",
        **{**QUICK, "epochs": 1, "batch_size": 12},
    )
    logits = {arm: result.summary["arms"][arm]["nll"] for arm in ("alone", "distilled")}
    assert logits["alone"] != logits["distilled"]  # the loss reached the student
    state = result.student.state_dict()
    assert all(value.isfinite().all() for value in state.values())
    assert set(state) == {k for k in state if not k.startswith("student.")}


@pytest.mark.parametrize("name", sorted(NEEDS_MORE))
def test_a_loss_that_wants_more_says_what(name: str, tmp_path: Path) -> None:
    with pytest.raises(DidactError, match=NEEDS_MORE[name]):
        distill(
            student="cnn-2", teacher="cnn-4", data=images_of_8(), loss=name,
            output=tmp_path / "run", **QUICK,
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("loss", "word"),
    [
        (lambda student, teacher: (student - teacher).square(), r"returns \(8, 3\)"),
        (lambda student, teacher: (student.detach() - teacher).square().mean(), "no gradient"),
        (lambda student, teacher: student @ teacher, "fails on logits"),
        (lambda student, teacher, beta: student.mean(), "needs beta"),
    ],
    ids=["not a scalar", "detached", "crashes", "another parameter"],
)
def test_a_broken_loss_is_told_before_anything_is_trained(
    loss: object, word: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=word):
        distill(
            student="mlp-8", teacher="mlp-8", data=small_data(), loss=loss,
            output=tmp_path / "run", **QUICK,
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_unlabelled_samples_and_a_loss_that_can_do_without_labels(tmp_path: Path) -> None:
    labelled = torch.zeros(48, dtype=torch.bool)
    labelled[:6] = True
    result = distill(
        student="mlp-8",
        teacher="mlp-8",
        data=small_data(labelled=labelled),
        loss=["dkd", "cross_entropy_and_hard_kd"],
        output=tmp_path / "run",
        **QUICK,
    )
    assert result.summary["complete"]
