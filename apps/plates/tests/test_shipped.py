"""What is shipped reads the shipped streets, as the README says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from didact_plates import models
from didact_plates.cli import main

ROOT = Path(__file__).parents[3]
APP = ROOT / "apps" / "plates"


def what_is_read(text: str) -> list[list[str]]:
    """File, text and colour of each line; a point of confidence or a pixel may differ."""
    return [line.split("  ")[:3] for line in text.strip().splitlines()]


@pytest.mark.parametrize(("page", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_streets_are_read_as_the_readme_says(page, language, capsys, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["didact-plates", "apps/plates/examples", "--lang", language])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    (block,) = re.findall(r"```text\n(.*?)```", (APP / page).read_text("utf-8"), re.DOTALL)
    assert what_is_read(capsys.readouterr().out) == what_is_read(block)


def test_the_code_of_the_readme_runs(capsys, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", (APP / "README.md").read_text("utf-8"), re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert "皖G7Y607 blue" in capsys.readouterr().out


def test_a_model_that_is_not_there(tmp_path) -> None:
    with pytest.raises(models.ModelFileError, match="there is no file"):
        models.finder(tmp_path / "none")
    with pytest.raises(
        models.ModelFileError,
        match=r"has no student\.safetensors; expected what didact-plates train",
    ):
        models.finder(tmp_path)
