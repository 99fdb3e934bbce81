"""Every loss of the library can be named in a run, or says why it cannot."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.distilling.support import QUICK, small_data
from torch import Tensor

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


def trained_by(name: str, folder: Path, **changes: Any) -> dict[str, Tensor]:
    """The student of a run whose only term is this loss."""
    settings = {
        **QUICK,
        "epochs": 1,
        "batch_size": 12,
        "kd_weight": 1.0,
        "weight_decay": 0.0,
        "arms": ("distilled",),
        "loss_options": {"CRD.negatives": 8} if name == "CRD" else {},
    }
    result = distill(
        student="cnn-2",
        teacher=["cnn-4"] * (2 if "teachers" in CARDS[name].family else 1),
        data=images_of_8(),
        loss=name,
        output=folder,
        **{**settings, **changes},
    )
    return result.student.state_dict()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """The student as it starts, whatever the loss."""
    return trained_by("kd", tmp_path_factory.mktemp("start") / "run", learning_rate=1e-30)


@pytest.mark.parametrize("name", sorted(set(CARDS) - set(NEEDS_MORE)))
def test_a_run_with_each_loss(name: str, tmp_path: Path, untouched: dict[str, Tensor]) -> None:
    """The loss alone moves the student's first layer; what it owns is thrown away."""
    state = trained_by(name, tmp_path / "run")
    assert {k: v.shape for k, v in state.items()} == {k: v.shape for k, v in untouched.items()}
    assert all(value.isfinite().all() for value in state.values())
    first = next(k for k, v in state.items() if v.dim() == 4)
    assert not torch.equal(state[first], untouched[first])


@pytest.mark.parametrize("name", sorted(NEEDS_MORE))
def test_a_loss_that_wants_more_says_what(name: str, tmp_path: Path) -> None:
    with pytest.raises(DidactError, match=NEEDS_MORE[name]):
        distill(
            student="cnn-2", teacher="cnn-4", data=images_of_8(), loss=name,
            output=tmp_path / "run", **QUICK,
        )  # fmt: skip
    assert not (tmp_path / "run").exists()


class MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError("an error that cannot say what it is")


def fail_mutely() -> None:
    raise MuteError


@pytest.mark.parametrize(
    ("loss", "word"),
    [
        (lambda student, teacher: (student - teacher).square(), r"returns \(8, 3\)"),
        (lambda student, teacher: (student.detach() - teacher).square().mean(), "no gradient"),
        (lambda student, teacher: student @ teacher, "fails on logits"),
        (lambda student, teacher, beta: student.mean(), "needs beta"),
        (lambda student, teacher: sys.exit(0), "fails on logits .*: SystemExit: 0"),
        (lambda student, teacher: fail_mutely(), "fails on logits .*: MuteError"),
    ],
    ids=["not a scalar", "detached", "crashes", "another parameter", "exits", "mute"],
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


QUICK_NETS = {"student": "resnet8", "teacher": "resnet8", "epochs": 1, "batch_size": 512,
              "seeds": (0,), "onnx": False, "arms": ("teacher", "distilled")}  # fmt: skip


def test_the_overhaul_takes_the_margin_from_the_teacher_s_batch_norm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from didact.train.distilling import build_losses as module

    seen: list[Any] = []
    real = module._build_before_relu

    def watch(*given: Any) -> Any:
        seen.append(real(*given))
        return seen[-1]

    monkeypatch.setattr(module, "_build_before_relu", watch)
    result = distill(loss=["kd", ("ofd", 0.001)], output=tmp_path / "run", **QUICK_NETS)
    function, pair = seen[-1]
    (path,) = pair.teacher_paths
    assert isinstance(result.student.get_submodule(path), torch.nn.BatchNorm2d)
    assert set(function.keywords) == {"norm_weight", "norm_bias"}
    with pytest.raises(UsageError, match="no batch norm"):
        distill(
            loss="ofd", output=tmp_path / "b", **{**QUICK_NETS, "teacher": "mlp", "student": "mlp"}
        )


def test_several_layers_go_in_pairs(tmp_path: Path) -> None:
    layers = {"student_layer": ("layer1", "layer2"), "teacher_layer": ("layer1", "layer3")}
    result = distill(loss=["kd", ("hint", 0.1)], output=tmp_path / "run", **QUICK_NETS, **layers)
    assert result.summary["arms"]["distilled"]["test_accuracy"]
    assert (
        'student_layer = [\n    "layer1",\n    "layer2",\n]'
        in (tmp_path / "run" / "run.toml").read_text()
    )
    with pytest.raises(UsageError, match="equally many"):
        distill(
            loss="hint", output=tmp_path / "b", **QUICK_NETS, student_layer=("layer1", "layer2"),
            teacher_layer=("layer1",),
        )  # fmt: skip
