"""What ``distill`` leaves behind and what can be chosen."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tests.train.distilling.support import QUICK, plain_model, small_data, small_model
from torch import nn

from didact._core.errors import DidactError, ModelError, RunFolderError, UsageError
from didact.data import Data
from didact.nn import Teacher
from didact.train import DistillResult, DistillSettings, distill
from didact.train.record.files import read_json

ONE_STEP: dict[str, Any] = {
    **QUICK,
    "epochs": 1,
    "learning_rate": 0.1,
    "momentum": 0.0,
    "weight_decay": 0.0,
    "schedule": "constant",
}


def assert_one_step_from(start: nn.Module, trained: nn.Module) -> None:
    """The parameters are those of ``start`` less a tenth of the gradients left there."""
    got = dict(trained.named_parameters())
    for name, parameter in start.named_parameters():
        expected = parameter.detach() - 0.1 * parameter.grad
        torch.testing.assert_close(got[name], expected, rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> DistillResult:
    """A whole run on the small data, with ONNX, two seeds."""
    return distill(
        student=small_model,
        teacher=plain_model,
        data=small_data(),
        output=tmp_path_factory.mktemp("runs") / "run",
        **{**QUICK, "onnx": True, "seeds": (0, 1)},
    )


def test_the_run_folder_is_complete(run: DistillResult) -> None:
    names = {path.name for path in run.folder.iterdir()}
    assert names == {
        "run.toml",
        "metrics.jsonl",
        "result.json",
        "disagreements.json",
        "predictions.json",
        "student.safetensors",
        "student.onnx",
        "checkpoint",
    }
    assert read_json(run.folder / "result.json") == run.summary
    settings = tomllib.loads((run.folder / "run.toml").read_text())
    assert settings["kd_weight"] == 0.9
    assert settings["seeds"] == [0, 1]


def test_every_epoch_of_every_arm_and_seed_has_a_row(run: DistillResult) -> None:
    lines = (run.folder / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    expected = [
        (seed, arm, epoch)
        for seed in (0, 1)
        for arm in ("teacher", "alone", "distilled")
        for epoch in (1, 2)
    ]
    assert [(row["seed"], row["arm"], row["epoch"]) for row in rows] == expected
    assert all(row["train_loss"] > 0 for row in rows)


def test_the_evidence_is_that_of_the_saved_student(run: DistillResult) -> None:
    data = small_data()
    state = load_file(run.folder / "student.safetensors")
    student = small_model().eval()
    student.load_state_dict(state)
    images = (data.test.images.float() / 255 - data.mean[0]) / data.std[0]
    logits = student(images)
    accuracy = (logits.argmax(1) == data.test.labels).float().mean().item()
    seed = run.summary["seeds"].index(run.summary["student_seed"])
    nll = F.cross_entropy(logits, data.test.labels).item()  # dropout would show here
    assert run.summary["arms"]["distilled"]["nll"][seed] == pytest.approx(nll, rel=1e-5)
    assert run.summary["arms"]["distilled"]["test_accuracy"][seed] == pytest.approx(accuracy)
    differences = run.summary["paired"]["differences"]
    arms = run.summary["arms"]
    expected = [
        d - a
        for d, a in zip(
            arms["distilled"]["test_accuracy"], arms["alone"]["test_accuracy"], strict=True
        )
    ]
    assert differences == pytest.approx(expected)


def test_onnx_takes_images_in_0_to_1_and_any_batch_size(run: DistillResult) -> None:
    runtime = pytest.importorskip("onnxruntime")
    data = small_data()
    session = runtime.InferenceSession(str(run.folder / "student.onnx"))
    images = data.test.images[:7].float() / 255
    got = session.run(None, {"images": images.numpy()})[0]
    with torch.no_grad():
        expected = run.student((images - data.mean[0]) / data.std[0])
    torch.testing.assert_close(torch.from_numpy(got), expected, rtol=1e-4, atol=1e-5)
    names = json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
    assert names == ["a", "b", "c"]
    assert run.summary["onnx"]["images"] == len(data.test)


def test_the_same_seed_gives_the_same_bits(tmp_path: Path) -> None:
    def once(name: str) -> dict[str, torch.Tensor]:
        result = distill(
            student=small_model,
            teacher=plain_model,
            data=small_data(),
            output=tmp_path / name,
            **QUICK,
        )
        return load_file(result.folder / "student.safetensors")

    first, second = once("first"), once("second")
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("student", [plain_model, small_model], ids=["plain", "dropout"])
def test_kd_weight_zero_is_the_student_alone(tmp_path: Path, student: object) -> None:
    """Same first weights and same batches, whatever the models trained before have drawn."""
    result = distill(
        student=student,
        teacher=small_model,
        data=small_data(),
        output=tmp_path / "run",
        kd_weight=0.0,
        **QUICK,
    )
    arms = result.summary["arms"]
    assert arms["distilled"]["nll"] == pytest.approx(arms["alone"]["nll"], rel=1e-5)


def test_one_step_equals_the_formula(tmp_path: Path) -> None:
    """One epoch of one batch, written out by hand."""
    torch.manual_seed(5)
    teacher, start = plain_model(), plain_model()
    data = small_data(train=12)
    result = distill(
        student=start,
        teacher=teacher,
        data=data,
        output=tmp_path / "run",
        arms=("distilled",),
        temperature=3.0,
        kd_weight=0.7,
        learning_rate=0.1,
        momentum=0.0,
        weight_decay=0.0,
        schedule="constant",
        **{**QUICK, "epochs": 1, "batch_size": 12},
    )
    images = (data.train.images.float() / 255 - data.mean[0]) / data.std[0]
    student_logits, teacher_logits = start(images), teacher(images).detach()
    divergence = F.kl_div(
        F.log_softmax(student_logits / 3, 1),
        F.softmax(teacher_logits / 3, 1),
        reduction="batchmean",
    )
    loss = 0.3 * F.cross_entropy(student_logits, data.train.labels) + 0.7 * 9 * divergence
    loss.backward()
    for name, parameter in start.named_parameters():
        expected = parameter.detach() - 0.1 * parameter.grad
        got = dict(result.student.named_parameters())[name]
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("combine", ["probs", "losses"])
def test_two_teachers_with_weights(tmp_path: Path, combine: str) -> None:
    """One step against the mean of probabilities, or the mean of losses, by hand."""
    torch.manual_seed(6)
    first, second, start = plain_model(), plain_model(), plain_model()
    data = small_data(train=12)
    result = distill(
        student=start,
        teacher=[first, second],
        teacher_weights=(3.0, 1.0),
        combine=combine,
        data=data,
        output=tmp_path / "run",
        arms=("distilled",),
        temperature=2.0,
        kd_weight=1.0,
        learning_rate=0.1,
        momentum=0.0,
        weight_decay=0.0,
        schedule="constant",
        **{**QUICK, "epochs": 1, "batch_size": 12},
    )
    images = (data.train.images.float() / 255 - data.mean[0]) / data.std[0]
    log_probs = F.log_softmax(start(images) / 2, 1)
    targets = [F.softmax(teacher(images).detach() / 2, 1) for teacher in (first, second)]
    if combine == "probs":
        loss = F.kl_div(log_probs, 0.75 * targets[0] + 0.25 * targets[1], reduction="batchmean")
    else:
        pairs = zip((0.75, 0.25), targets, strict=True)
        loss = sum(w * F.kl_div(log_probs, t, reduction="batchmean") for w, t in pairs)
    (4 * loss).backward()
    for name, parameter in start.named_parameters():
        got = dict(result.student.named_parameters())[name]
        torch.testing.assert_close(
            got, parameter.detach() - 0.1 * parameter.grad, atol=1e-6, rtol=1e-5
        )


def test_a_user_loss_two_losses_and_an_option(tmp_path: Path) -> None:
    calls = []

    def my_loss(student: torch.Tensor, teacher: torch.Tensor, T: float) -> torch.Tensor:  # noqa: N803
        calls.append(T)
        return F.mse_loss(student / T, teacher / T)

    result = distill(
        student=plain_model,
        teacher=plain_model,
        data=small_data(),
        loss=[my_loss, ("kd", 0.5)],
        temperature="4:2",
        output=tmp_path / "run",
        **QUICK,
    )
    assert result.summary["loss"]["names"] == ["my_loss", "kd"]
    assert result.summary["loss"]["weights"] == [1.0, 0.5]
    assert calls[1] == 4.0  # the first call is the rehearsal
    assert 2.0 < calls[-1] < 3.0


def test_a_feature_loss_gets_a_projector(tmp_path: Path) -> None:
    """Between layers of 8 and of 16 numbers; it teaches the student and is thrown away."""
    options: dict[str, Any] = {
        "student": "mlp-8",
        "teacher": "mlp-16",
        "data": small_data(),
        "arms": ("alone", "distilled"),
        **QUICK,
    }
    both = distill(loss=["kd", "hint"], output=tmp_path / "both", **options)
    without = distill(loss="kd", output=tmp_path / "without", **options)
    saved = load_file(both.folder / "student.safetensors")
    alone = without.student.state_dict()
    assert {name: value.shape for name, value in saved.items()} == {
        name: value.shape for name, value in alone.items()
    }
    for name, value in saved.items():
        assert torch.equal(value, both.student.state_dict()[name])
    hidden = next(name for name, value in saved.items() if value.shape == (8, 16))
    assert not torch.allclose(saved[hidden], alone[hidden], rtol=1e-3)
    label = "alone"
    assert both.summary["arms"][label]["nll"] == without.summary["arms"][label]["nll"]


def test_unlabelled_samples_reach_only_the_distillation_term(tmp_path: Path) -> None:
    """One step: cross-entropy over the labelled images, the divergence over all of them."""
    torch.manual_seed(7)
    teacher, start = plain_model(), plain_model()
    labelled = torch.arange(12) < 5
    data = small_data(labelled=labelled, train=12)
    result = distill(
        student=start,
        teacher=teacher,
        data=data,
        output=tmp_path / "run",
        arms=("distilled",),
        temperature=3.0,
        kd_weight=0.4,
        **{**ONE_STEP, "batch_size": 12},
    )
    images = (data.train.images.float() / 255 - data.mean[0]) / data.std[0]
    student_logits, teacher_logits = start(images), teacher(images).detach()
    divergence = F.kl_div(
        F.log_softmax(student_logits / 3, 1),
        F.softmax(teacher_logits / 3, 1),
        reduction="batchmean",
    )
    label = F.cross_entropy(student_logits[labelled], data.train.labels[labelled])
    (0.6 * label + 0.4 * 9 * divergence).backward()
    assert_one_step_from(start, result.student)


def test_the_student_alone_sees_the_labelled_samples_only(tmp_path: Path) -> None:
    """Wrong labels behind the unlabelled images change nothing."""
    labelled = torch.arange(48) < 9
    states = []
    for shift in (0, 1):
        data = small_data(labelled=labelled)
        data.train.labels[9:] = (data.train.labels[9:] + shift) % 3
        result = distill(
            student=plain_model,
            data=data,
            arms=("alone",),
            output=tmp_path / str(shift),
            **QUICK,
        )
        states.append(result.student.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def recorded_sizes(tmp_path: Path, train: int) -> list[int]:
    """How many images each part of a step has, for a student with BatchNorm and two parts."""
    sizes: list[int] = []

    def noting(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        sizes.append(len(student))
        return F.mse_loss(student, teacher)

    distill(
        student=lambda: nn.Sequential(
            nn.Flatten(), nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)
        ),
        teacher=plain_model(),
        data=small_data(train=train),
        loss=noting,
        arms=("distilled",),
        output=tmp_path / str(train),
        **{**QUICK, "epochs": 1, "accumulate": 2},
    )
    return sizes[1:]  # the first call is the rehearsal


def test_no_part_of_a_step_gives_batch_norm_a_single_image(tmp_path: Path) -> None:
    assert recorded_sizes(tmp_path, 34) == [8, 8, 8, 8]  # the last two would be one and one
    assert recorded_sizes(tmp_path, 35) == [8, 8, 8, 8]
    assert recorded_sizes(tmp_path, 36) == [8, 8, 8, 8, 2, 2]
    assert recorded_sizes(tmp_path, 48) == [8] * 6


def test_a_teacher_is_fed_what_it_was_trained_on(tmp_path: Path) -> None:
    """A saved teacher gives the same predictions where the data has another mean and deviation."""
    first = distill(
        student="mlp-8", teacher="mlp-16", data=small_data(), output=tmp_path / "first", **QUICK
    )
    other = replace(small_data(), mean=(0.55,), std=(0.35,))
    second = distill(
        student="mlp-8", teacher=first.folder, data=other, output=tmp_path / "second", **QUICK
    )
    expected, got = first.summary["arms"]["distilled"], second.summary["arms"]["teacher"]
    for number in ("nll", "brier", "test_accuracy"):
        assert got[number] == pytest.approx(expected[number], rel=1e-4)


def test_a_run_folder_and_a_file_can_be_teachers(tmp_path: Path) -> None:
    def quick(teacher: object, name: str) -> DistillResult:
        return distill(
            student="mlp-8", teacher=teacher, data=small_data(), output=tmp_path / name, **QUICK
        )

    first = quick("mlp-16", "first")
    accuracy = first.summary["arms"]["distilled"]["test_accuracy"]
    for teacher in (first.folder, str(first.folder / "student.safetensors")):
        second = quick(teacher, f"second-{len(str(teacher))}")
        assert second.summary["arms"]["teacher"]["test_accuracy"] == accuracy
        assert second.summary["arms"]["teacher"]["train_seconds"] == [0.0]


def test_best_on_validation_keeps_that_epoch(tmp_path: Path) -> None:
    result = distill(
        student=small_model,
        teacher=plain_model,
        data=small_data(),
        output=tmp_path / "run",
        **{**QUICK, "epochs": 6, "select": "validation", "learning_rate": 0.5},
    )
    rows = [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text().splitlines()]
    best = max(row["validation_accuracy"] for row in rows if row["arm"] == "distilled")
    data = small_data()
    images = (data.validation.images.float() / 255 - data.mean[0]) / data.std[0]
    accuracy = (result.student(images).argmax(1) == data.validation.labels).float().mean().item()
    assert accuracy == pytest.approx(best)
    assert result.summary["epoch_chosen_by"] == "validation"


def test_only_the_student_alone_needs_no_teacher(tmp_path: Path) -> None:
    result = distill(
        student="mlp-8", data=small_data(), arms=("alone",), output=tmp_path / "run", **QUICK
    )
    assert set(result.summary["arms"]) == {"alone"}
    assert result.summary["paired"] is None


def test_a_lower_precision_stays_near(tmp_path: Path) -> None:
    states = []
    for precision in ("32-true", "bf16-mixed"):
        result = distill(
            student="mlp-8",
            teacher="mlp-16",
            data=small_data(),
            precision=precision,
            output=tmp_path / precision,
            **QUICK,
        )
        states.append(result.student.state_dict())
        assert all(value.dtype == torch.float32 for value in states[-1].values())
    gaps = [
        float((states[1][k] - v).norm() / v.norm()) for k, v in states[0].items() if v.dim() > 1
    ]
    assert 0 < max(gaps) < 0.05


@pytest.mark.parametrize(("clip", "length"), [(0.01, 0.01), (None, None), (1e3, None)])
def test_a_gradient_is_clipped_to_its_length(
    tmp_path: Path, clip: float | None, length: float | None
) -> None:
    """One step of plain descent is the learning rate times the clipped gradient."""
    torch.manual_seed(8)
    start = plain_model()
    data = small_data(train=12)
    result = distill(
        student=start,
        data=data,
        arms=("alone",),
        clip_norm=clip,
        output=tmp_path / "run",
        **{**ONE_STEP, "batch_size": 12},
    )
    images = (data.train.images.float() / 255 - data.mean[0]) / data.std[0]
    F.cross_entropy(start(images), data.train.labels).backward()
    whole = torch.cat([parameter.grad.flatten() for parameter in start.parameters()]).norm()
    assert whole > 0.02
    if length is not None:
        for parameter in start.parameters():
            parameter.grad *= length / whole
    assert_one_step_from(start, result.student)


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    for overwrite in (False, True):
        with pytest.raises(RunFolderError, match="run"):
            distill(
                student="mlp-8",
                teacher="mlp-8",
                data=small_data(),
                output=folder,
                overwrite=overwrite,
                **QUICK,
            )
    assert (folder / "thesis.tex").read_text() == "years of work"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"kd_weight": 1.5}, "kd-weight"),
        ({"kd_weight": -0.1}, "kd-weight"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "4:-1"}, "temperature"),
        ({"epochs": 0}, "epochs"),
        ({"seeds": ()}, "seeds"),
        ({"seeds": (1, 1)}, "seeds"),
        ({"labelled": 0}, "labelled"),
        ({"batch_size": 10, "accumulate": 3}, "multiple"),
        ({"optimizer": "adma"}, "optimizer"),
        ({"teacher_weights": (1.0, 2.0)}, "teacher weights"),
        ({"loss": "kdd"}, "did you mean 'kd'"),
        ({"loss": "kd=-1"}, "above 0"),
        ({"loss_options": {"kd.tau": 1}}, "option"),
        ({"student": "resnt20"}, "did you mean"),
        ({"no_such_setting": 1}, "no_such_setting"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_made(
    tmp_path: Path, changes: dict[str, object], word: str
) -> None:
    values = {"student": "mlp-8", "teacher": "mlp-8", "data": small_data(), **QUICK, **changes}
    with pytest.raises(DidactError, match=word):
        distill(output=tmp_path / "run", **values)
    assert not (tmp_path / "run").exists()


def test_a_teacher_of_other_classes_or_image_size_is_refused(tmp_path: Path) -> None:
    run = distill(
        student="mlp-8", teacher="mlp-8", data=small_data(), output=tmp_path / "run", **QUICK
    )
    with pytest.raises(ModelError, match="knows 3 classes and digits has 10"):
        distill(student="mlp-8", teacher=run.folder, data="digits", output=tmp_path / "b", **QUICK)
    wide: Data = small_data()
    big = Data(
        name="big",
        train=_bigger(wide.train),
        validation=_bigger(wide.validation),
        test=_bigger(wide.test),
        class_names=wide.class_names,
        mean=wide.mean,
        std=wide.std,
        labelled=wide.labelled,
    )
    with pytest.raises(ModelError, match=r"\(1, 4, 4\).*\(1, 8, 8\)"):
        distill(student="mlp-8", teacher=run.folder, data=big, output=tmp_path / "c", **QUICK)
    five = nn.Sequential(nn.Flatten(), nn.Linear(16, 5))
    with pytest.raises(ModelError, match="5 classes"):
        distill(student="mlp-8", teacher=five, data=wide, output=tmp_path / "d", **QUICK)


def _bigger(part: object) -> object:
    from didact.data import Split

    assert isinstance(part, Split)
    return Split(part.images.repeat(1, 1, 2, 2), part.labels)


def test_the_plain_loop_of_the_readme_works() -> None:
    from didact import losses

    torch.manual_seed(0)
    big, student = plain_model(), plain_model()
    teacher = Teacher(big)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.1)
    data = small_data()
    x, y = data.train.images.float() / 255, data.train.labels
    before = F.kl_div(F.log_softmax(student(x), 1), F.softmax(big(x), 1), reduction="batchmean")
    for _ in range(50):
        s, t = student(x), teacher(x)
        loss = 0.1 * F.cross_entropy(s, y) + 0.9 * losses.kd(s, t, temperature=4.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = F.kl_div(F.log_softmax(student(x), 1), F.softmax(big(x), 1), reduction="batchmean")
    assert after < before


def test_settings_survive_toml() -> None:
    settings = DistillSettings.build(temperature="8:2", seeds=(3, 4), teacher=("a", "b"))
    again = DistillSettings.build(**tomllib.loads(settings.to_toml()))
    assert again == settings


def test_unknown_setting_type_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=r"^epochs .*\(got 'many'\)$"):
        DistillSettings.build(epochs="many")
