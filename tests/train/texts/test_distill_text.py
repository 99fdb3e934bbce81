"""A language model taught by another, on a text of a few kilobytes."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from didact._core.errors import CheckpointError, DidactError, RunFolderError, UsageError
from didact.cli import main
from didact.lm import TeacherCache, encode, read_tokenizer
from didact.losses import forward_kl
from didact.report import load_result
from didact.report.render import to_html
from didact.train import (
    RunFolder,
    TextSettings,
    distill_text,
    load_text_student,
    resume_text,
    verify_run,
)
from didact.train.record.files import read_tensors
from didact.train.texts.arms import bits_per_byte
from didact.train.texts.data import Windows, in_pieces, text_data
from didact.train.texts.models import measure

pytest.importorskip("tokenizers")
QUICK: dict[str, Any] = {
    "student": "gpt-32x1",
    "teacher": "gpt-32x2",
    "vocabulary": 270,
    "window": 16,
    "student_text": 3000,
    "steps": 8,
    "teacher_steps": 12,
    "epochs": 2,
    "seeds": (0, 1),
    "k": 20,
    "temperature": 2.0,
    "checkpoint_seconds": 0,
    "threads": 1,
    "accelerator": "cpu",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("text")
    said = "the teacher says more than its answer and a student listens to all of it"
    words = said.split()
    draw = torch.Generator().manual_seed(0)
    paragraphs = [
        " ".join(words[int(n)] for n in torch.randint(len(words), (40,), generator=draw))
        for _ in range(80)
    ]
    (place / "a.txt").write_text("\n\n".join(paragraphs))
    return place


def settings(place: Path, **changed: Any) -> TextSettings:
    return TextSettings.build(**QUICK | {"data": f"text:{place / 'a.txt'}"} | changed)


@pytest.fixture(scope="module")
def run(place: Path) -> Path:
    return distill_text(settings(place), place / "run").folder


def numbers(folder: Path) -> Any:
    """All that the run has measured, but for the time it took."""
    arms = json.loads((folder / "result.json").read_text())["arms"]
    return {a: {n: v for n, v in m.items() if n != "train_seconds"} for a, m in arms.items()}


def test_the_record_is_that_of_a_run(run: Path) -> None:
    result = load_result(run)
    assert (result.task, result.metric, result.seeds) == ("text", "bits_per_byte", [0, 1])
    found = {arm: numbers.bits_per_byte for arm, numbers in result.arms.items()}
    assert [len(found[arm]) for arm in ("teacher", "alone", "distilled")] == [1, 2, 2]
    assert result.paired is not None
    assert result.paired.differences == [
        pytest.approx(two - one)
        for one, two in zip(found["alone"], found["distilled"], strict=True)
    ]
    assert all(0 < bits < 8 for values in found.values() for bits in values)
    rows = RunFolder.open(run).rows()
    assert len(rows) == 2 * (1 + 2 + 2)
    assert not [one for one in verify_run(run) if one.problem]
    cache = TeacherCache.open(run / "teacher", tokenizer=read_tokenizer(run), temperature=2.0)
    assert cache.header.k == 20
    page = to_html(run)
    assert "Bits per byte" in page
    assert "tokens in a window" in page


def test_the_student_that_was_kept_is_the_one_that_was_measured(run: Path, place: Path) -> None:
    result = load_result(run)
    model, tokenizer = load_text_student(run)
    data = text_data(settings(place))
    assert tokenizer.get_vocab() == data.tokenizer.get_vocab()
    seed = [0, 1].index(result.student_seed or 0)
    arm = result.arms["distilled"]
    losses, count = 0.0, 0
    for window in data.test:
        logits = model(window[None])[0, :-1].double()
        losses += float(F.cross_entropy(logits, window[1:], reduction="sum").detach())
        count += len(window) - 1
    assert losses / count == pytest.approx(arm.nll[seed], rel=1e-5)
    bits = losses / count / math.log(2) / data.bytes_per_token["test"]
    assert bits == pytest.approx(arm.bits_per_byte[seed], rel=1e-5)
    assert bits_per_byte(math.log(2) * 3, 1.5) == pytest.approx(2)
    validation = {a: n.bits_per_byte for a, n in result.validation.items()}["distilled"]
    assert seed == validation.index(min(validation))


def test_texts_are_held_out_whole_and_their_bytes_are_counted(place: Path) -> None:
    text = (place / "a.txt").read_text()
    pieces = in_pieces([text])
    assert len(pieces) > 6
    assert "".join("".join(pieces).split()) == "".join(text.split())
    data = text_data(settings(place))
    seen = {tuple(window.tolist()) for window in data.for_teacher}
    assert not seen & {tuple(window.tolist()) for window in data.test}
    assert len(data.train) < len(data.for_teacher)
    assert data.digest == text_data(settings(place)).digest
    assert data.digest != text_data(settings(place, student_text=2000)).digest
    ids = encode(data.tokenizer, pieces)
    mean = sum(map(len, pieces)) / sum(map(len, ids))
    assert data.bytes_per_token["test"] == pytest.approx(mean, rel=0.05)


def test_every_window_comes_once_before_any_comes_again() -> None:
    windows = torch.arange(20).view(10, 2)
    options = {"batch_size": 3, "steps": 4, "device": torch.device("cpu")}
    walk = Windows(windows, seed=1, **options)
    every = [list(walk.epoch(n)) for n in range(5)]
    order = torch.cat([batch.indices for epoch in every for batch in epoch]).tolist()
    assert len(order) == 60
    for first in range(0, 60, 10):
        assert sorted(order[first : first + 10]) == list(range(10))
    assert order[:10] != order[10:20]
    assert [b.indices.tolist() for b in walk.epoch(3, start=2)] == [
        b.indices.tolist() for b in every[3][2:]
    ]
    assert torch.equal(every[0][1].images, windows[every[0][1].indices])
    other = [b.indices.tolist() for b in Windows(windows, seed=2, **options).epoch(0)]
    assert other != [b.indices.tolist() for b in every[0]]


@pytest.mark.parametrize("saves", [1, 9, 14, 23, 31, 44])
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
            distill_text(settings(place), tmp_path / "cut")
    assert not (tmp_path / "cut" / "result.json").exists()
    resume_text(tmp_path / "cut")
    assert numbers(tmp_path / "cut") == numbers(run)
    one, two = (read_tensors(folder / "student.safetensors") for folder in (run, tmp_path / "cut"))
    assert one[1] == two[1]
    assert all(torch.equal(value, two[0][name]) for name, value in one[0].items())
    for name in ("tokenizer.json", "teacher/header.json", "teacher/shard-000000.safetensors"):
        assert (tmp_path / "cut" / name).read_bytes() == (run / name).read_bytes()
    with pytest.raises(RunFolderError, match="complete"):
        resume_text(tmp_path / "cut")


def test_other_text_or_a_damaged_cache_is_refused_when_a_run_goes_on(
    run: Path, place: Path, tmp_path: Path
) -> None:
    shutil.copytree(run, tmp_path / "run")
    shutil.copy(place / "a.txt", tmp_path / "a.txt")
    (tmp_path / "run" / "result.json").unlink()
    shard = tmp_path / "run" / "teacher" / "header.json"
    shard.write_text(shard.read_text().replace('"k": 20', '"k": 21'))
    with pytest.raises(CheckpointError, match="damaged"):
        resume_text(tmp_path / "run")
    distill_text(settings(tmp_path, arms=("alone",), seeds=(0,)), tmp_path / "b")
    (tmp_path / "b" / "result.json").unlink()
    (tmp_path / "a.txt").write_text((tmp_path / "a.txt").read_text().replace("teacher", "leader"))
    with pytest.raises(CheckpointError, match="other data"):
        resume_text(tmp_path / "b")


OWN = """
import torch

class Counts(torch.nn.Module):
    def __init__(self, classes, window):
        super().__init__()
        self.table = torch.nn.Embedding(classes, classes)

    def forward(self, ids):
        return self.table(ids)

nothing = 3
"""


def test_models_of_the_users_own_and_one_arm_alone(place: Path, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    chosen = settings(
        place, student=f"{tmp_path / 'own.py'}:Counts", arms=("distilled",), seeds=(0,), kd_weight=1
    )
    result = distill_text(chosen, tmp_path / "run")
    assert result.gain is None
    assert set(result.summary["arms"]) == {"distilled"}
    with pytest.raises(DidactError, match="no function"):
        distill_text(settings(place, student=f"{tmp_path / 'own.py'}:nothing"), tmp_path / "b")
    with pytest.raises(DidactError, match="gpt-WIDTHxLAYERS"):
        distill_text(settings(place, teacher="bert"), tmp_path / "b")
    with pytest.raises(UsageError, match="steps is 9; expected a multiple of the 2 epochs"):
        settings(place, steps=9)
    assert not (tmp_path / "b").exists()


def test_a_model_of_transformers_teaches_with_its_own_tokenizer(
    run: Path, place: Path, tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = read_tokenizer(run)
    folder = tmp_path / "hf"
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>"
    ).save_pretrained(folder)
    config = transformers.GPT2Config(
        vocab_size=280,
        n_positions=16,
        n_embd=8,
        n_layer=1,
        n_head=1,
        bos_token_id=0,
        eos_token_id=0,
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    chosen = settings(place, teacher=f"hf:{folder}", seeds=(0,), steps=2)
    result = distill_text(chosen, tmp_path / "run")
    assert result.summary["data"]["num_classes"] == 280
    assert result.summary["models"]["teacher"][0]["name"] == f"hf:{folder}"
    model, own = load_text_student(tmp_path / "run")
    ids = torch.tensor(encode(own, ["the teacher says"]))
    found, _ = measure(model, ids)
    assert found["nll"] > 0
    teacher = transformers.AutoModelForCausalLM.from_pretrained(folder)
    kept = TeacherCache.open(tmp_path / "run" / "teacher").read(text_data(
        chosen, transformers.AutoTokenizer.from_pretrained(folder), 280).train[:1])  # fmt: skip
    assert kept.shape == (1, 16, 280)
    assert forward_kl(kept.logits.float(), kept.logits.float()) == 0
    assert teacher.config.vocab_size == kept.classes


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    sys.argv[:] = ["didact", "distill", *words]
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
    typed = ["--recipe", "text", "--data", f"text:{place / 'a.txt'}", "--output", "run"]
    for name in ("student", "teacher", "vocabulary", "window", "student_text", "steps", "k"):
        typed += ["--" + name.replace("_", "-"), str(QUICK[name])]
    typed += ["--teacher-steps", "12", "--epochs", "2", "--seeds", "0,1", "--temperature", "2"]
    shown = said(capsys, *typed)
    assert "Bits per byte" in shown
    assert Path("run/report.html").is_file()
    shown = said(capsys, "--config", "run/run.toml", "--seeds", "7,", "--output", "again")
    assert "One seed" in shown
    Path("again/result.json").unlink()
    assert "每字节比特数" in said(capsys, "--resume", "again", "--lang", "zh")
    assert "complete" in said(capsys, "--resume", "run", code=2)
    assert "resize is not of texts" in said(capsys, *typed, "--resize", "8", code=2)
    assert "--mixup is not of texts" in said(capsys, *typed, "--mixup", "1", code=2)
    assert "--steps is of texts" in said(capsys, "--steps", "8", code=2)
    assert "no recipe 'txt'" in said(capsys, "--recipe", "txt", code=2)
    assert "exists already" in said(capsys, *typed, code=2)
