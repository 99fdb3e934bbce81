"""A sentence encoder taught by another, on a hundred sentences."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.test_language import english_left

from didact import metrics
from didact._core.errors import CheckpointError, DataError, DidactError, RunFolderError, UsageError
from didact.cli import main
from didact.report import load_result
from didact.report.render import to_html
from didact.train import (
    EncoderSettings,
    RunFolder,
    distill_encoder,
    load_encoder,
    resume_encoder,
    verify_run,
)
from didact.train.encoders.data import sentence_data
from didact.train.encoders.measure import nearest_mean_accuracy, neighbours_kept
from didact.train.encoders.models import fitted_head, trimmed
from didact.train.encoders.objective import Pairs, Sentences, cosine
from didact.train.record.files import read_tensors

pytest.importorskip("tokenizers")
TOPICS = {
    "weather": "rain wind snow cloud storm sun",
    "music": "song drum choir violin tune band",
    "food": "bread soup rice apple cheese tea",
}
OWN = """
import numpy, torch

WORDS = {words!r}

def vectors(sentences):
    found = [[float(word in text.split()) for word in WORDS] for text in sentences]
    return numpy.array(found) + 0.01

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(len(WORDS)))

    def forward(self, sentences):
        return torch.tensor(vectors(sentences)).float() * self.scale

def student(classes, window, dimension):
    class Bag(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bag = torch.nn.EmbeddingBag(classes, dimension or 8, padding_idx=0)

        def forward(self, ids):
            return self.bag(ids)

    return Bag()

def nan(sentences):
    return numpy.full((len(sentences), 4), numpy.nan)

nothing = 3
"""
QUICK: dict[str, Any] = {
    "student": "static-32",
    "vocabulary": 300,
    "window": 12,
    "labels_per_class": 2,
    "steps": 8,
    "learning_rate": 0.1,
    "teacher_steps": 6,
    "epochs": 2,
    "batch_size": 48,
    "seeds": (0, 1),
    "checkpoint_seconds": 0,
    "threads": 1,
    "accelerator": "cpu",
    "onnx": False,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sentences")
    draw = np.random.default_rng(0)
    lines, plain = ["text,label"], []
    for topic, words in TOPICS.items():
        for _ in range(40):
            some = " ".join(draw.choice(words.split(), 3))
            plain.append(f"say {some} {draw.integers(1000)} please")
            lines.append(f"{plain[-1]},{topic}")
    (place / "a.csv").write_text("\n".join(lines))
    (place / "a.txt").write_text("\n".join(plain))
    words = " ".join(TOPICS.values()).split()
    (place / "own.py").write_text(OWN.replace("{words!r}", repr(words)))
    return place


def settings(place: Path, **changed: Any) -> EncoderSettings:
    own = {"data": f"text:{place / 'a.csv'}", "teacher": f"{place / 'own.py'}:vectors"}
    return EncoderSettings.build(**QUICK | own | changed)


@pytest.fixture(scope="module")
def run(place: Path) -> Path:
    return distill_encoder(settings(place, onnx=True), place / "run").folder


def numbers(folder: Path) -> Any:
    """All that the run has measured, but for the time it took."""
    arms = json.loads((folder / "result.json").read_text())["arms"]
    return {a: {n: v for n, v in m.items() if n != "train_seconds"} for a, m in arms.items()}


def test_the_record_is_that_of_a_run(run: Path) -> None:
    result = load_result(run)
    assert (result.task, result.metric, result.seeds) == ("single-label", "test_accuracy", [0, 1])
    found = {arm: numbers.test_accuracy for arm, numbers in result.arms.items()}
    assert [len(found[arm]) for arm in ("teacher", "alone", "distilled")] == [2, 2, 2]
    assert min(found["distilled"]) > max(0.5, *found["alone"]), "the teacher knows the topics"
    assert result.paired is not None
    assert result.data.labelled == 6
    assert result.data.train == 120 - 2 * 18
    shared = result.arms["distilled"].neighbours_kept
    assert all(0 < one <= 1 for one in shared)
    assert sum(shared) > sum(result.arms["alone"].neighbours_kept)
    assert len(RunFolder.open(run).rows()) == 2 * 2 * 2
    assert not [one for one in verify_run(run) if one.problem]
    page = to_html(run)
    assert "Nearest sentences shared" in page
    assert "84 training sentences (6 with labels)" in page
    assert "labelled sentences only" in page
    assert "over 18 sentences" in page
    assert english_left(to_html(run, "zh")) == []


def test_the_student_that_was_kept_is_the_one_that_was_measured(run: Path, place: Path) -> None:
    result, student = load_result(run), load_encoder(run)
    data = sentence_data(settings(place))
    texts = [data.sentences.texts[n] for n in data.test.tolist()]
    names = [data.class_names[n] for n in data.labels[data.test].tolist()]
    said = student.classify(texts)
    seed = [0, 1].index(result.student_seed or 0)
    right = [one == name for (one, _), name in zip(said, names, strict=True)]
    assert sum(right) / len(right) == pytest.approx(result.arms["distilled"].test_accuracy[seed])
    probabilities = student.probabilities(texts)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(len(texts)))
    assert [value for _, value in said] == pytest.approx(probabilities.amax(1).tolist())
    nll = metrics.negative_log_likelihood(probabilities.log(), data.labels[data.test])
    assert nll == pytest.approx(result.arms["distilled"].nll[seed], rel=1e-4)
    vectors = student.encode(texts)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(texts)))
    torch.testing.assert_close(student.encode(texts[3:4]), vectors[3:4])
    assert student.encode([]).shape[0] == 0
    validation = result.validation["distilled"].validation_accuracy
    assert seed == validation.index(max(validation))
    with pytest.raises(UsageError, match="expected a list of sentences"):
        student.encode("rain please")


def test_onnx_and_the_tokenizer_do_without_torch(run: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    from tokenizers import Tokenizer

    student = load_encoder(run)
    texts = ["say rain wind please", "a song", "", "😀 say bread soup cheese apple rice tea " * 9]
    tokenizer = Tokenizer.from_file(str(run / "tokenizer.json"))
    session = runtime.InferenceSession(str(run / "student.onnx"))
    for some in (texts, texts[:1], texts[1:3]):
        ids = np.array([one.ids for one in tokenizer.encode_batch(some)])
        vectors, logits = session.run(None, {"ids": ids})
        np.testing.assert_allclose(vectors, student.encode(some), atol=1e-5)
        found = torch.tensor(logits).softmax(1)
        torch.testing.assert_close(found, student.probabilities(some), atol=1e-5, rtol=1e-4)
    said = json.loads(session.get_modelmeta().custom_metadata_map["class_names"])
    assert said == sorted(TOPICS)


@pytest.mark.parametrize("saves", [1, 9, 12, 25, 39])
def test_a_run_that_is_killed_ends_in_the_same_bits(
    run: Path, place: Path, monkeypatch: pytest.MonkeyPatch, saves: int, tmp_path: Path
) -> None:
    from didact.train.record.checkpoint import Checkpoints

    count, save = 0, Checkpoints.save

    def cut(self: Checkpoints, *rest: Any) -> None:
        nonlocal count
        save(self, *rest)
        count += 1
        if count == saves:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", cut)
        with pytest.raises(KeyboardInterrupt):
            distill_encoder(settings(place), tmp_path / "cut")
    assert not (tmp_path / "cut" / "result.json").exists()
    resume_encoder(tmp_path / "cut")
    assert numbers(tmp_path / "cut") == numbers(run)
    one, two = (read_tensors(folder / "student.safetensors") for folder in (run, tmp_path / "cut"))
    assert one[1] == two[1]
    assert all(torch.equal(value, two[0][name]) for name, value in one[0].items())
    for name in ("tokenizer.json", "teacher/vectors-000000.safetensors"):
        kept, again = (read_tensors(f / name)[0] if "vec" in name else (f / name).read_bytes()
                       for f in (run, tmp_path / "cut"))  # fmt: skip
        assert str(kept) == str(again)
    with pytest.raises(RunFolderError, match="complete"):
        resume_encoder(tmp_path / "cut")


def test_a_teacher_that_is_trained_here_and_sentences_without_labels_go_on_too(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from didact.train.record.checkpoint import Checkpoints

    chosen = settings(place, data=f"text:{place / 'a.txt'}", teacher="static-16")
    result = distill_encoder(chosen, tmp_path / "whole")
    assert (result.summary["task"], result.summary["metric"]) == ("sentences", "neighbours_kept")
    arms = result.summary["arms"]
    two, one = (sum(arms[arm]["neighbours_kept"]) for arm in ("distilled", "alone"))
    assert result.gain == pytest.approx((two - one) / 2)
    assert result.validation_gain is not None
    assert "from which words were taken" in to_html(result.folder)
    assert english_left(to_html(result.folder, "zh")) == []
    student = load_encoder(result.folder)
    assert student.encode(["rain"]).shape == (1, 16)
    with pytest.raises(UsageError, match="no labels"):
        student.classify(["rain"])
    for saves in (5, 12):
        count, save = 0, Checkpoints.save

        def cut(self: Checkpoints, *rest: Any, saves: int = saves) -> None:
            nonlocal count
            save(self, *rest)  # noqa: B023
            count += 1
            if count == saves:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Checkpoints, "save", cut)
            with pytest.raises(KeyboardInterrupt):
                distill_encoder(chosen, tmp_path / f"cut{saves}")
        resume_encoder(tmp_path / f"cut{saves}")
        assert numbers(tmp_path / f"cut{saves}") == numbers(tmp_path / "whole")


def test_other_sentences_or_damaged_vectors_are_refused_when_a_run_goes_on(
    run: Path, place: Path, tmp_path: Path
) -> None:
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    kept = tmp_path / "run" / "teacher" / "vectors-000000.safetensors"
    content = bytearray(kept.read_bytes())
    content[-5] ^= 1
    kept.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="damaged"):
        resume_encoder(tmp_path / "run")
    shutil.copy(place / "a.csv", tmp_path / "a.csv")
    own = settings(place, data=f"text:{tmp_path / 'a.csv'}", arms=("alone",), seeds=(0,))
    distill_encoder(own, tmp_path / "b")
    (tmp_path / "b" / "result.json").unlink()
    (tmp_path / "a.csv").write_text((tmp_path / "a.csv").read_text().replace("rain", "hail"))
    with pytest.raises(CheckpointError, match="other data"):
        resume_encoder(tmp_path / "b")


def test_ready_vectors_a_module_and_students_of_the_users_own(place: Path, tmp_path: Path) -> None:
    table = (place / "a.csv").read_text().splitlines()
    repeated = [*table, table[1], table[7]]  # sentences twice: their vectors are there twice too
    (tmp_path / "b.csv").write_text("\n".join(repeated))
    names: dict[str, Any] = {}
    exec((place / "own.py").read_text(), names)
    vectors = names["vectors"]([line.rpartition(",")[0] for line in repeated[1:]])
    np.save(tmp_path / "ready.npy", vectors.astype(np.float32))
    own = {"data": f"text:{tmp_path / 'b.csv'}", "seeds": (0,), "steps": 4}
    ready = distill_encoder(
        settings(place, teacher=f"npy:{tmp_path / 'ready.npy'}", **own), tmp_path / "r"
    )
    live = distill_encoder(settings(place, **own), tmp_path / "l")
    assert numbers(ready.folder)["teacher"] == numbers(live.folder)["teacher"]
    chosen = settings(
        place,
        teacher=f"{place / 'own.py'}:Model",
        student=f"{place / 'own.py'}:student",
        loss=("cosine=2", "rkd_distance=0.5", "kd"),
        **own,
    )
    result = distill_encoder(chosen, tmp_path / "m")
    assert result.summary["models"]["teacher"][0]["parameters"] == 18
    assert result.summary["loss"]["weights"] == [2.0, 0.5, 1.0]
    assert load_encoder(tmp_path / "m").encode(["rain"]).shape == (1, 18)
    np.save(tmp_path / "short.npy", vectors[:-1])
    for teacher, said in (
        (f"npy:{tmp_path / 'short.npy'}", "121 vectors and"),
        (f"npy:{tmp_path / 'b.csv'}", "cannot be read as an array"),
        (f"{place / 'own.py'}:nothing", "no function"),
        (f"{place / 'own.py'}:nan", "NaN"),
        ("bert", "expected static-WIDTH or attention-WIDTHxLAYERS"),
        (f"hf:{tmp_path}", "no config.json"),
        (f"hf:{tmp_path / 'none'}", "there is no folder"),
    ):
        with pytest.raises(DidactError, match=said):
            distill_encoder(settings(place, teacher=teacher, **own), tmp_path / "x")
        assert not (tmp_path / "x" / "result.json").exists()
        shutil.rmtree(tmp_path / "x", ignore_errors=True)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"loss": ("CRD",)}, "weights of its own"),
        ({"loss": ("attention_transfer",)}, "feature"),
        ({"loss": ("cosine=x",)}, "no number behind ="),
        ({"loss": ("kd_weighted_sum",)}, "asks for"),
        ({"student": "static-0"}, "1 or more"),
        ({"student": "attention-40x1"}, "32 divides"),
        ({"steps": 31}, "multiple of the 2 epochs"),
        ({"resize": 8}, "not of sentences"),
        ({"arms": ("teacher",)}, "expected alone or distilled"),
    ],
)
def test_what_cannot_be_is_refused_before_a_folder_is_made(
    place: Path, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(DidactError, match=said):
        distill_encoder(settings(place, **changed), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_sentences_are_held_out_class_by_class_and_none_is_in_two_parts(place: Path) -> None:
    data = sentence_data(settings(place))
    parts = [data.train, data.validation, data.test]
    assert [len(part) for part in parts] == [84, 18, 18]
    assert sorted(torch.cat(parts).tolist()) == list(range(120))
    assert data.labels[data.test].bincount().tolist() == [6, 6, 6]
    few = data.labelled(0, 2)
    assert data.labels[few].bincount().tolist() == [2, 2, 2]
    assert set(few.tolist()) <= set(data.train.tolist())
    assert few.tolist() == data.labelled(0, 2).tolist() != data.labelled(1, 2).tolist()
    assert len(data.labelled(0, 0)) == 84
    assert data.digest == sentence_data(settings(place)).digest


def test_pairs_stand_in_one_place_and_batches_know_theirs(place: Path) -> None:
    data = sentence_data(settings(place))
    chosen = settings(place)
    options: dict[str, Any] = {"steps": 8, "seed": 3, "device": torch.device("cpu")}
    groups = data.groups.clone()
    groups[data.train] = torch.arange(len(data.train)) // 3
    grouped = Pairs(type(data)(**vars(data) | {"groups": groups}), chosen, **options)
    ids = {tuple(row): int(groups[n]) for n, row in enumerate(data.ids.tolist())}
    differ = 0
    for batch in grouped.epoch(0):
        for one, two in batch.images.tolist():
            assert ids[tuple(one)] == ids[tuple(two)]
            differ += one != two
    assert differ > 20
    again = [batch.images for batch in grouped.epoch(1, start=2)]
    assert torch.equal(again[0], [batch.images for batch in grouped.epoch(1)][2])
    places = data.labelled(0, 2)
    for batch in Sentences(data, places, chosen, **options).epoch(0):
        assert torch.equal(batch.images, data.ids[batch.indices])
        assert set(batch.indices.tolist()) <= set(places.tolist())


def test_the_parts_of_the_measure() -> None:
    torch.manual_seed(0)
    one, other = torch.randn(40, 6), torch.randn(40, 9)
    assert neighbours_kept(one, 3 * one) == 1
    expected = 0
    for n in range(40):
        nearest = []
        for side in (one, other):
            scores = torch.cosine_similarity(side, side[n : n + 1])
            scores[n] = -9
            nearest.append(set(scores.topk(10).indices.tolist()))
        expected += len(nearest[0] & nearest[1])
    assert neighbours_kept(one, other) == pytest.approx(expected / 400)
    assert neighbours_kept(one[:1], other[:1]) == 1
    many = torch.randn(5003, 4)
    assert neighbours_kept(many, 2 * many, nearest=2) == 1
    unit = torch.nn.functional.normalize(one, dim=1)
    away = torch.nn.functional.normalize(other[:, :6], dim=1)
    expected_cosine = 1 - torch.cosine_similarity(unit, away).mean()
    torch.testing.assert_close(cosine(unit, away), expected_cosine)
    means = torch.eye(3).repeat(4, 1)
    labels = torch.arange(3).repeat(4)
    assert nearest_mean_accuracy(means, labels, torch.eye(3)[[0, 1, 1]], torch.tensor([0, 1, 2])) \
        == pytest.approx(2 / 3)  # fmt: skip
    assert trimmed(torch.tensor([[1, 0, 2, 0], [0, 0, 0, 0]])).shape == (2, 3)
    assert trimmed(torch.zeros(2, 3, dtype=torch.int64)).shape == (2, 1)


@pytest.mark.parametrize("classes", [2, 4])
def test_the_head_is_the_minimum_of_its_loss(classes: int) -> None:
    torch.manual_seed(0)
    vectors = torch.nn.functional.normalize(torch.randn(30, 5), dim=1)
    labels = torch.arange(30) % classes
    head = fitted_head(vectors, labels).double()
    logits = head(10 * vectors.double())
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    weight = head.weight
    centred = weight - weight.mean(0)  # what all classes share changes no probability
    penalty = centred.square().sum() / (2 * 0.3) * (2 if classes == 2 else 1)
    gradients = torch.autograd.grad(loss + penalty, [weight, head.bias])
    assert max(float(gradient.abs().max()) for gradient in gradients) < 0.02


def said(
    capsys: pytest.CaptureFixture[str], *words: str, code: int = 0, command: str = "distill"
) -> str:
    sys.argv[:] = ["didact", command, *words]
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    assert ended.value.code == code, shown
    return shown.out + shown.err


def test_the_command_runs_and_goes_on(
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.chdir(tmp_path)
    typed = ["--recipe", "encoder", "--data", f"text:{place / 'a.csv'}", "--output", "run"]
    typed += ["--student", "static-8", "--teacher", f"{place / 'own.py'}:vectors", "--no-onnx"]
    typed += ["--labels-per-class", "2", "--steps", "6", "--epochs", "2", "--seeds", "0,1"]
    typed += ["--loss", "cosine", "--loss", "kd=0.5", "--temperature", "2", "--vocabulary", "300"]
    shown = said(capsys, *typed)
    assert "Test accuracy" in shown
    assert Path("run/report.html").is_file()
    shown = said(capsys, "--config", "run/run.toml", "--seeds", "7,", "--output", "again")
    assert "One seed" in shown
    Path("again/result.json").unlink()
    assert "测试准确率" in said(capsys, "--resume", "again", "--lang", "zh")
    assert "complete" in said(capsys, "--resume", "run", code=2)
    assert "resize is not of sentences" in said(capsys, *typed, "--resize", "8", code=2)
    assert "--mixup is not of sentences" in said(capsys, *typed, "--mixup", "1", code=2)
    assert "--k is not of sentences" in said(capsys, *typed, "--k", "3", code=2)
    assert "--labels-per-class is of sentences" in said(capsys, "--labels-per-class", "8", code=2)
    assert "no class" not in said(capsys, *typed, "--overwrite")


def test_predict_says_the_class_of_each_line(
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    (tmp_path / "a.txt").write_text("say rain, wind\nsay bread soup\n\nsay bread soup\n")
    lines = ["say rain, wind", "say bread soup", "", "say bread soup"]
    student = load_encoder(run)
    shown = said(capsys, str(run), str(tmp_path / "a.txt"), command="predict")
    wanted = [
        f"{text}  {name} {100 * value:.1f} %" if text else ""
        for text, (name, value) in zip(lines, student.classify(lines), strict=True)
    ]
    assert shown.splitlines() == wanted
    typed = [str(run), str(tmp_path / "a.txt"), "--top", "2", "--format"]
    rows = json.loads(said(capsys, *typed, "json", command="predict"))
    assert [row["sentence"] for row in rows] == lines
    assert [one["class"] for one in rows[0]["classes"]] == [
        student.class_names[n] for n in student.probabilities(lines)[0].topk(2).indices.tolist()
    ]
    table = list(csv.reader(said(capsys, *typed, "csv", command="predict").splitlines()))
    assert table[0] == ["sentence", "rank", "class", "probability"]
    assert len(table) == 8
    assert table[5] == ["", "1", "", ""]
    assert rows[2] == {"sentence": "", "class": None, "probability": None, "classes": []}
    for wrong in ("none.txt", "b.png"):
        (tmp_path / "b.png").write_bytes(b"x")
        assert "error" in said(capsys, str(run), str(tmp_path / wrong), command="predict", code=2)


def test_too_few_sentences_or_one_class_are_refused(tmp_path: Path, place: Path) -> None:
    def of(name: str, text: str) -> EncoderSettings:
        (tmp_path / name).write_text(text)
        return settings(place, data=f"text:{tmp_path / name}")

    with pytest.raises(DataError, match="no sentence"):
        sentence_data(of("a.txt", "\n \n"))
    with pytest.raises(DataError, match=r"different sentences in .*: 1;"):
        sentence_data(of("b.txt", "the same\nthe  same\n"))
    with pytest.raises(DataError, match="have the label 'x'"):
        sentence_data(of("c.csv", "text,label\na,x\nb,x\nc,\n"))
    with pytest.raises(DataError, match="leaves no sentence"):
        sentence_data(of("d.csv", "text,label\na,x\nb,y\nc,\nd,\n"))
    data = sentence_data(of("e.txt", "one\ntwo\nthree\n"))
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1, 1, 1]
