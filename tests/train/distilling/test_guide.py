"""The guide to distill works as it is written."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from didact.cli import main

PAGE = Path(__file__).parents[3] / "docs" / "distill.md"


@pytest.mark.filterwarnings("ignore:.*:optuna.exceptions.ExperimentalWarning")
def test_the_guide_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    shown = ""
    for language, text in blocks:
        if language == "python":
            if "optuna" in text:
                optuna = pytest.importorskip("optuna")
                optuna.logging.set_verbosity(optuna.logging.ERROR)
            space: dict[str, Any] = {}
            exec(compile(text, str(PAGE), "exec"), space)
            continue
        for line in text.splitlines():
            shown += command(monkeypatch, capsys, line)
    for said in ("MAE", "mAP, %", "Validation acc., %", r"\begin{tabular}", "regression"):
        assert said in shown


def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str) -> str:
    words = shlex.split(line.removeprefix("$ "))
    quick = ["--no-onnx", "--threads", "1", "--accelerator", "cpu", "--batch-size", "128"]
    monkeypatch.setattr(sys, "argv", [*words, *(quick if words[1] == "distill" else [])])
    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    found = capsys.readouterr()
    assert not code, found.err
    return found.out + found.err
