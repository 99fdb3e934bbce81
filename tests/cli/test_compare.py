"""``didact compare``."""

import json
import sys
from pathlib import Path

import pytest
from tests.report.support import make_result, write_run

from didact.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["didact", *arguments])
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        main()
    return int(caught.value.code or 0)


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    second = make_result(gain=0.01)
    second["arms"]["distilled"]["test_accuracy"][0] += 0.005
    other = make_result(seeds=3)
    return [
        str(write_run(tmp_path / name, result))
        for name, result in (("first", make_result()), ("second", second), ("third", other))
    ]


def test_the_table(runs, monkeypatch, capsys):
    assert run(monkeypatch, "compare", *runs) == 0
    text = capsys.readouterr().out
    assert max(len(line) for line in text.splitlines()) <= 80
    for part in ("Median", "Quartiles", "95.00 ± 0.55", "paired t-test (same seeds): second",
                 "Welch's t-test (other seeds, not paired): third", "exact sign-flip"):  # fmt: skip
        assert part in text


def test_json_and_markdown(runs, monkeypatch, capsys):
    assert run(monkeypatch, "compare", *runs, "--format", "json", "--metric", "brier") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metric"] == "brier"
    assert [r["name"] for r in found["runs"]] == ["first", "second", "third"]
    assert run(monkeypatch, "compare", *runs, "--format", "markdown", "--arm", "alone") == 0
    assert "student alone" in capsys.readouterr().out


def test_mistakes_are_one_message(runs, tmp_path, monkeypatch, capsys):
    (Path(runs[1]) / "result.json").write_text('{"schema": 1, "ki')
    for arguments, says in (
        ([runs[0]], "two or more"),
        ([runs[0], str(tmp_path / "gone")], "there is no folder"),
        ([runs[0], runs[1]], "damaged or truncated"),
        ([runs[0], runs[2], "--metric", "accuracy"], "did you mean"),
    ):
        assert run(monkeypatch, "compare", *arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert says in captured.err
        assert captured.err.count("\n") == 1
