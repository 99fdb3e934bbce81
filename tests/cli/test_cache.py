"""``didact cache`` from the command line."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from didact.cli import main

pytest.importorskip("tokenizers")
MODEL = """
import torch

class Model(torch.nn.Module):
    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.embed, self.head = torch.nn.Embedding(300, 4), torch.nn.Linear(4, 300)

    def forward(self, ids):
        return self.head(self.embed(ids))

other = Model(1)
short = Model()
short.embed = torch.nn.Embedding(40, 4)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from didact.lm import train_tokenizer

    monkeypatch.chdir(tmp_path)
    text = "A teacher says more than its answer.\n" * 60
    Path("a.txt").write_text(text)
    Path("teacher.py").write_text(MODEL)
    train_tokenizer([text], 280).save("tokenizer.json")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    sys.argv[:] = ["didact", "cache", *words]
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    assert ended.value.code == code, shown
    return shown.out + shown.err


BUILT = ("--teacher", "teacher.py:Model", "--tokenizer", "tokenizer.json")
TEXT = ("--data", "text:a.txt", "--window", "16")


def test_a_cache_is_built_verified_and_described(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    build = ("build", "c", *BUILT, *TEXT, "--k", "8", "--temperature", "1", "--temperature", "2")
    shown = said(capsys, *build)
    assert "didact-topk/1" in shown
    assert "1.0, 2.0" in shown
    before = {path.name: path.read_bytes() for path in Path("c").iterdir()}
    said(capsys, *build)  # once more changes nothing
    assert {path.name: path.read_bytes() for path in Path("c").iterdir()} == before
    assert "each has its digest" in said(capsys, "verify", "c")
    assert "differ by at most 0" in said(capsys, "verify", "c", *BUILT, *TEXT)
    again = ("verify", "c", *BUILT, *TEXT[:2])  # the window is that of the cache
    assert "differ by at most 0" in said(capsys, *again, "--rows", "1000")
    for more, why in (
        (["--window", "17"], "the rows of c have 16 tokens"),
        (["--rows", "0"], "rows is 0"),
    ):
        assert why in said(capsys, *again, *more, code=2)
    assert "add --teacher" in said(capsys, "verify", "c", *TEXT, code=2)
    assert "摘要全部相符" in said(capsys, "verify", "c", "--lang", "zh")
    other = ("verify", "c", "--teacher", "teacher.py:other", *BUILT[2:], *TEXT)
    assert "another teacher" in said(capsys, *other, code=2)
    assert "another k: 8 there, 9 now" in said(capsys, *build[:-4], "--k", "9", code=2)
    path = Path("c/shard-000000.safetensors")
    broken = bytearray(path.read_bytes())
    broken[-9] ^= 4
    path.write_bytes(broken)
    assert "is damaged" in said(capsys, "verify", "c", code=2)
    said(capsys, *build)  # makes the broken file anew
    assert path.read_bytes() == before[path.name]


def test_what_vllm_wrote_is_converted(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    line = {"prompt_token_ids": [3, 4], "prompt_logprobs": [None, {"4": -0.1, "7": -3.0}]}
    Path("v.jsonl").write_text(json.dumps(line) + "\n")
    shown = said(capsys, "convert", "vllm-jsonl:v.jsonl", "c", "--tokenizer", "tokenizer.json")
    assert "280" in shown
    assert "each has its digest" in said(capsys, "verify", "c")
    shutil.rmtree("c")
    assert "pass classes" in said(capsys, "convert", "vllm-jsonl:v.jsonl", "c", code=2)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["inform", "c"], "did you mean 'info'"),
        (["info", "c", "d"], "takes FOLDER"),
        (["convert", "c"], "takes SOURCE FOLDER"),
        (["info", "c"], "no cache of a teacher"),
        (["build", "c", *TEXT], "name the teacher"),
        (["build", "c", *BUILT], "name the text"),
        (["build", "c", *BUILT[:2], *TEXT], "name the tokenizer"),
        (["build", "c", "--teacher", "gpt", *TEXT], "expected hf:DIR"),
        (["build", "c", "--teacher", "hf:nowhere", *TEXT], "nowhere"),
        (["build", "c", "--teacher", "teacher.py:MODEL_", *BUILT[2:], *TEXT], "MODEL_"),
        (["build", "c", *BUILT, "--data", "text:none"], "no file or folder"),
        (["build", "c", *BUILT, *TEXT, "--k", "0"], "k is 0"),
        (["build", "c", *BUILT, *TEXT[:2], "--window", "1"], "the window is 1"),
        (["build", "c", *BUILT, *TEXT[:2], "--window", "0"], "the window is 0"),
        (
            ["build", "c", "--teacher", "teacher.py:short", *BUILT[2:], *TEXT],
            "cannot read 16 tok",
        ),
        (["build", "a.txt", *BUILT, *TEXT], "a.txt is a file"),
    ],
)
def test_what_is_mistyped_is_said(
    place: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    why: str,
) -> None:
    monkeypatch.setattr(sys, "argv", [])
    assert why in said(capsys, *words, code=2)
    assert not Path("c").exists()
