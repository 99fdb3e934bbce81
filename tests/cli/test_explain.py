"""``didact explain`` from the outside."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from didact.cli import main

SNIPPET = "loss = F.kl_div(F.softmax(student_logits / T), F.softmax(teacher_logits / T)) #蒸馏损失"


class _Stream(io.TextIOWrapper):
    def isatty(self) -> bool:
        return False


def run(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    *arguments: str,
    given: str | None = None,
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["didact", "explain", *arguments])
    monkeypatch.setenv("DIDACT_LANG", "en")
    if given is not None:
        monkeypatch.setattr(sys, "stdin", _Stream(io.BytesIO(given.encode("utf-8"))))
    with pytest.raises(SystemExit) as stopped:
        main()
    out, error = capfdbinary.readouterr()
    return int(stopped.value.code or 0), out.decode("utf-8"), error.decode("utf-8")


def test_a_page(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code, out, _ = run(monkeypatch, capfdbinary, "KD101", "--lang", "zh")
    assert code == 0
    assert "为什么" in out


def test_an_unknown_code(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, error = run(monkeypatch, capfdbinary, "KD999")
    assert (code, out) == (2, "")
    assert "did you mean" in error
    assert error.count("\n") == 1


def test_a_missing_file(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    code, out, error = run(monkeypatch, capfdbinary, str(tmp_path / "none.py"))
    assert (code, out) == (2, "")
    assert "cannot read" in error
    assert error.count("\n") == 1


def test_nothing_to_explain(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, _, error = run(monkeypatch, capfdbinary, given=" \n")
    assert code == 2
    assert "empty" in error


@pytest.mark.parametrize("argument", [(), ("-",)])
def test_the_standard_input(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    argument: tuple[str, ...],
) -> None:
    code, out, _ = run(monkeypatch, capfdbinary, *argument, "--format", "json", given=SNIPPET)
    assert code == 0
    found = [f["code"] for f in json.loads(out)["findings"]]
    assert "KD101" in found
    assert "log_softmax" in json.loads(out)["corrected"]


def test_a_file_as_markdown_in_the_language_of_the_locale(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    file = tmp_path / "loss.py"
    file.write_text(SNIPPET, encoding="utf-8")
    code, out, _ = run(monkeypatch, capfdbinary, str(file), "--format", "markdown")
    assert code == 0
    assert "## Line by line" in out
    _, chinese, _ = run(monkeypatch, capfdbinary, str(file), "-f", "markdown", "--lang", "zh")
    assert "## 逐行解释" in chinese


def test_a_notebook(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["a title"], "metadata": {}},
        {"cell_type": "code", "source": [SNIPPET], "metadata": {}, "outputs": []},
    ]
    file = tmp_path / "a.ipynb"
    file.write_text(
        json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})
    )
    code, out, _ = run(monkeypatch, capfdbinary, str(file), "-f", "json")
    assert code == 0
    assert "KD101" in [f["code"] for f in json.loads(out)["findings"]]
    file.write_text("[")
    code, out, error = run(monkeypatch, capfdbinary, str(file))
    assert (code, out) == (2, "")
    assert error.count("\n") == 1


def test_it_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('torch is not here')\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "DIDACT_LANG": "zh_CN.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "didact", "explain"],
        input=SNIPPET.encode(), capture_output=True, env=environment, check=True,
    )  # fmt: skip
    assert "蒸馏" in done.stdout.decode("utf-8")
    assert done.stderr == b""


def test_code_as_the_argument(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, _ = run(monkeypatch, capfdbinary, "loss = F.kl_div(a, b)", "--brief")
    assert code == 0
    assert "In short" in out
    assert "Line by line" not in out


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "utf-8-sig"])
def test_other_encodings(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
    encoding: str,
) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(SNIPPET.encode(encoding))
    code, out, _ = run(monkeypatch, capfdbinary, str(file), "--format", "json", "--lang", "zh")
    assert code == 0
    assert json.loads(out)["findings"][0]["code"] == "KD101"


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\x00\x01\x02" * 50, "二进制"), ("今天天气很好。".encode(), "没有找到 Python 代码")],
)
def test_what_is_no_python_ends_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
    tmp_path: Path,
    data: bytes,
    said: str,
) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(data)
    code, out, error = run(monkeypatch, capfdbinary, str(file), "--lang", "zh")
    assert (code, out) == (2, "")
    assert said in error
    assert error.count("\n") == 1


def test_the_language_may_stand_before_the_command(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text("import torch.nn.functional as F\n")
    for command in (["explain", "KD101"], ["check", str(tmp_path)]):
        monkeypatch.setattr(sys, "argv", ["didact", "--lang", "zh", *command])
        monkeypatch.setenv("DIDACT_LANG", "en")
        with pytest.raises(SystemExit):
            main()
        shown = b"".join(capfdbinary.readouterr()).decode("utf-8")
        assert re.search(r"[\u4e00-\u9fff]", shown), shown


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no device without an end here")
def test_a_device_without_an_end_is_read_to_a_limit(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["didact", "explain", "/dev/zero"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_an_empty_argument_is_said_to_be_empty(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, error = run(monkeypatch, capfdbinary, " ")
    assert (code, out) == (2, "")
    assert "the text is empty" in error
